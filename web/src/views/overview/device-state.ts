import type { KnownSeries } from "../../mesh/directory.ts";

/** The state of a series from its latest timestamp. Times are in ms. */
export type DeviceState =
  | { readonly kind: "online"; readonly ageMs: number }
  | { readonly kind: "silent"; readonly ageMs: number }
  /** The clock of the device is ahead of the server's. */
  | { readonly kind: "ahead"; readonly byMs: number };

/** A device without a reading for this time is silent. */
export const silentAfterMs = 60_000;
/** Clocks may differ by this much without a fault. */
const aheadAfterMs = 5000;

/** Returns the state of a series. Pure. */
export function stateOf({ latestMs }: Pick<KnownSeries, "latestMs">, nowMs: number): DeviceState {
  const ageMs = nowMs - (latestMs ?? Number.NEGATIVE_INFINITY);
  if (ageMs < -aheadAfterMs) return { kind: "ahead", byMs: -ageMs };
  if (ageMs > silentAfterMs) return { kind: "silent", ageMs };
  return { kind: "online", ageMs: Math.max(ageMs, 0) };
}

/** The number of online and silent devices, and those that need attention. */
export type DeviceCounts = {
  readonly online: number;
  readonly silent: number;
  readonly ahead: number;
  /** The device that has been silent the longest, and the one whose clock is the furthest ahead. */
  readonly silentExample: string;
  readonly aheadExample: string;
};

/** Counts devices by the newest of their series. Pure. */
export function countDevices(series: readonly KnownSeries[], nowMs: number): DeviceCounts {
  const newest = new Map<string, number>();
  for (const { deviceId, latestMs = Number.NEGATIVE_INFINITY } of series) {
    if (latestMs >= (newest.get(deviceId) ?? Number.NEGATIVE_INFINITY)) newest.set(deviceId, latestMs);
  }
  let [online, silent, ahead] = [0, 0, 0];
  let [silentExample, aheadExample] = ["", ""];
  let [oldest, latest] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const [deviceId, latestMs] of newest) {
    const { kind } = stateOf({ latestMs }, nowMs);
    if (kind !== "silent") online++;
    else {
      silent++;
      if (latestMs < oldest) [oldest, silentExample] = [latestMs, deviceId];
    }
    if (kind !== "ahead") continue;
    ahead++;
    if (latestMs > latest) [latest, aheadExample] = [latestMs, deviceId];
  }
  return { online, silent, ahead, silentExample, aheadExample };
}
