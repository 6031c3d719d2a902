import type { SeriesName } from "../store/reading-store.ts";
import type { Grouping } from "./merge.ts";

/** -1, 0 or 1 by UTF-16 code units, the order of all names here. */
export function compareNames(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** By device_id, then sensor. */
export function compareSeries(a: SeriesName, b: SeriesName): number {
  return compareNames(a.deviceId, b.deviceId) || compareNames(a.sensor, b.sensor);
}

/** Returns a text that is different for each series or group. */
export function seriesKey({ deviceId, sensor }: SeriesName): string {
  return `${deviceId}\n${sensor}`;
}

/** Returns the group of a series: what the group spans is empty. */
export function groupOf(grouping: Grouping, { deviceId, sensor }: SeriesName): SeriesName {
  return {
    deviceId: grouping === "series" || grouping === "device" ? deviceId : "",
    sensor: grouping === "series" || grouping === "sensor" ? sensor : "",
  };
}
