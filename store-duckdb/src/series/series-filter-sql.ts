import type { SeriesFilter } from "@devicemesh/query";
import { compareSeries } from "@devicemesh/query/plan/series-order";
import type { RegisteredSeries, SeriesRegistry } from "./series-registry.ts";

/** Returns the stored series of the devices of a filter that match it, in the order (device_id, sensor). */
export function seriesOfDevices(registry: SeriesRegistry, filter: SeriesFilter): RegisteredSeries[] {
  const wantedSensors = new Set(filter.sensors);
  return [...new Set(filter.deviceIds)]
    .flatMap((deviceId) => registry.codesOfDevice(deviceId).map((code) => registry.get(code)))
    .filter(({ sensor }) => wantedSensors.size === 0 || wantedSensors.has(sensor))
    .sort(compareSeries);
}

/** Returns the number of stored series that match a filter. */
export function countMatching(registry: SeriesRegistry, filter: SeriesFilter): number {
  if (filter.deviceIds.length === 0) return registry.count(filter.sensors);
  return seriesOfDevices(registry, filter).length;
}

/**
 * Returns a condition on the column `series` for a filter: "true" for all, undefined if nothing matches. Series are
 * listed by code if the filter names devices, which are few; otherwise their sensors are looked up.
 */
export function seriesCondition(registry: SeriesRegistry, filter: SeriesFilter): string | undefined {
  const { deviceIds, sensors } = filter;
  if (deviceIds.length === 0) {
    if (sensors.length === 0) return "true";
    if (registry.count(sensors) === 0) return undefined;
    const names = [...new Set(sensors)].map((sensor) => `'${sensor.replaceAll("'", "''")}'`);
    return `series IN (SELECT code FROM series WHERE sensor IN (${names.join(", ")}))`;
  }
  const codes = seriesOfDevices(registry, filter).map(({ code }) => code);
  if (codes.length === 0) return undefined;
  return codes.length === 1 ? `series = ${codes[0]}` : `series IN (${codes.join(", ")})`;
}
