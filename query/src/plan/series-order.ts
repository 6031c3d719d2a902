import type { SeriesName } from "../store/reading-store.ts";

/** -1, 0 or 1 by UTF-16 code units, the order of all names here. */
export function compareNames(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** By device_id, then sensor. */
export function compareSeries(a: SeriesName, b: SeriesName): number {
  return compareNames(a.deviceId, b.deviceId) || compareNames(a.sensor, b.sensor);
}
