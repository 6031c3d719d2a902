import { linesMax } from "../../chart/palette.ts";
import { isPattern, type Selection } from "../../state/selection.ts";
import { query } from "../clients.ts";
import { type Polled, usePolled } from "../use-polled.ts";
import { type KnownSeries, knownSeries } from "./known-series.ts";

/** The most devices that one request names. */
export const devicesMax = 1000;

/** What a request names for a selection. */
export type Targets =
  | {
      readonly kind: "devices";
      readonly deviceIds: readonly string[];
      readonly sensors: readonly string[];
      /** The first of its series: more than are drawn, if there are more. */
      readonly series: readonly KnownSeries[];
      /** How many series it has. */
      readonly total: number;
    }
  | { readonly kind: "none" }
  /** More devices match than one request names. */
  | { readonly kind: "tooMany" };

const pollMs = 3000;

/** The devices and sensors of a selection, which the server finds: patterns become the names that match them. */
export function useTargets({ devices, sensors }: Pick<Selection, "devices" | "sensors">): Polled<Targets> {
  return usePolled(JSON.stringify([devices, sensors]), pollMs, async (signal): Promise<Targets> => {
    const deviceIds = await namesOf(devices, signal);
    if (deviceIds.length > devicesMax) return { kind: "tooMany" };
    if (devices.length > 0 && deviceIds.length === 0) return { kind: "none" };
    const { series, total } = await query.listSeries(
      { deviceIds: [...deviceIds], sensors: [...sensors], pageSize: linesMax + 1 },
      { signal },
    );
    return { kind: "devices", deviceIds, sensors, series: series.map(knownSeries), total: Number(total) };
  });
}

/** The names, and those that match the patterns; more than `devicesMax` if there are more. */
async function namesOf(devices: readonly string[], signal: AbortSignal): Promise<readonly string[]> {
  const found = new Set(devices.filter((name) => !isPattern(name)));
  for (const value of devices.filter(isPattern)) {
    let pageToken = "";
    do {
      const page = await query.listSeries(
        { search: { case: "deviceGlob", value }, pageSize: 1000, pageToken },
        { signal },
      );
      for (const { deviceId } of page.series) found.add(deviceId);
      pageToken = page.nextPageToken;
    } while (pageToken !== "" && found.size <= devicesMax);
  }
  return [...found];
}
