import { isPattern, matcherOf, type Selection } from "../state/selection.ts";
import type { Directory, KnownSeries } from "./directory.ts";

/** The maximum number of devices in one request. */
export const devicesMax = 1000;

/** The devices and sensors that a request names for a selection. */
export type Targets =
  | { readonly kind: "devices"; readonly deviceIds: readonly string[]; readonly sensors: readonly string[] }
  /** The directory, which resolves patterns, has not been read yet. */
  | { readonly kind: "waiting" }
  | { readonly kind: "none" }
  | { readonly kind: "tooMany"; readonly count: number };

/** Resolves the devices and sensors of a selection: patterns become the matching names. Pure. */
export function targetsOf(
  { devices, sensors }: Pick<Selection, "devices" | "sensors">,
  directory: Directory | undefined,
): Targets {
  if (!devices.some(isPattern)) return { kind: "devices", deviceIds: devices, sensors };
  if (!directory) return { kind: "waiting" };
  const matches = matcherOf(devices);
  const found = new Set(
    directory.series.filter(({ deviceId }) => matches(deviceId)).map(({ deviceId }) => deviceId),
  );
  if (found.size === 0) return directory.isWhole ? { kind: "none" } : { kind: "waiting" };
  if (found.size > devicesMax) return { kind: "tooMany", count: found.size };
  return { kind: "devices", deviceIds: [...found], sensors };
}

/** Returns the known series of a selection. Pure. */
export function seriesOf(
  { devices, sensors }: Pick<Selection, "devices" | "sensors">,
  directory: Directory | undefined,
): KnownSeries[] {
  const matches = matcherOf(devices);
  return (directory?.series ?? []).filter(
    ({ deviceId, sensor }) => matches(deviceId) && (sensors.length === 0 || sensors.includes(sensor)),
  );
}
