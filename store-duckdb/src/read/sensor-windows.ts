import { createColumnMerge, type WindowColumns } from "@devicemesh/query";
import type { SeriesRegistry } from "../series/series-registry.ts";

/** With fewer series than this in a row on average, the rows by sensor are not worth their memory. */
const seriesPerRowMin = 2;

/** Unbounded. */
export const everyTime = { sinceMs: Number.NEGATIVE_INFINITY, toMs: Number.POSITIVE_INFINITY } as const;

/**
 * Merges the windows of all devices of a sensor: a query over all devices then reads a row for each sensor and window
 * instead of one for each series and window. Returns the same windows if that would save little.
 */
export function windowsBySensor(
  windows: WindowColumns,
  registry: Pick<SeriesRegistry, "isDeviceBefore" | "sensorCodeOf">,
): WindowColumns {
  const merge = createColumnMerge({
    groupOf: registry.sensorCodeOf,
    bucketOf: (startMs) => startMs,
    isBefore: registry.isDeviceBefore,
  });
  merge.addWindows(windows, everyTime);
  return merge.size * seriesPerRowMin > windows.length ? windows : merge.toWindows(windows.windowMs);
}
