import type { SeriesFilter } from "@devicemesh/query";
import type { RegisteredSeries, SeriesRegistry } from "./series-registry.ts";

/** Up to so many series are listed by code; beyond, all are read and the others dropped by a join. */
const listedSeriesMax = 4096;

/** The stored series that match a filter, in the order (device_id, sensor). */
export function matchingSeries(registry: SeriesRegistry, filter: SeriesFilter): readonly RegisteredSeries[] {
  const wantedSensors = new Set(filter.sensors);
  const ofSensor = (series: RegisteredSeries): boolean =>
    wantedSensors.size === 0 || wantedSensors.has(series.sensor);
  if (filter.deviceIds.length === 0) return registry.sorted().filter(ofSensor);
  const devices = [...new Set(filter.deviceIds)].sort();
  return devices.flatMap((deviceId) =>
    registry
      .codesOfDevice(deviceId)
      .map((code) => registry.get(code))
      .filter(ofSensor)
      .sort((a, b) => (a.sensor < b.sensor ? -1 : 1)),
  );
}

/**
 * A condition on the column `series` for a filter: "true" for all, undefined if nothing matches.
 */
export function seriesCondition(registry: SeriesRegistry, filter: SeriesFilter): string | undefined {
  if (filter.deviceIds.length === 0 && filter.sensors.length === 0) return "true";
  const codes = matchingSeries(registry, filter).map(({ code }) => code);
  if (codes.length === 0) return undefined;
  if (codes.length === 1) return `series = ${codes[0]}`;
  if (codes.length <= listedSeriesMax) return `series IN (${codes.join(", ")})`;
  return `series IN (SELECT unnest([${codes.join(", ")}]))`;
}
