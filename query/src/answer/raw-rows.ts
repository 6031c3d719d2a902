import { type RpcError, resourceExhausted } from "@devicemesh/kit/rpc/rpc-error";
import { seriesKey } from "../plan/series-order.ts";
import type { SeriesFilter, SeriesName } from "../store/reading-store.ts";
import type { RowPlace } from "./aggregate-rows.ts";

// What figures of a page's rows that are computed from raw readings have in common.

/** Maximum number of raw readings from which the figures of one page are computed. */
export const rawReadingsMax = 1_000_000;

/**
 * Maximum number of names that a scan is narrowed to; beyond it, the scan reads everything that the request matches.
 */
const namesMax = 1000;

/** Returns the error of a page whose figures need more than `rawReadingsMax` raw readings. */
export function tooManyRawReadings({
  figures,
  fix,
}: {
  readonly figures: string;
  readonly fix: string;
}): RpcError {
  return resourceExhausted({
    subject: `readings of ${figures}`,
    description: `${figures} are computed from at most ${rawReadingsMax} raw readings a page, and these rows have more: choose ${fix}`,
  });
}

/** Returns the filter, narrowed to the devices of the rows if they are few, and to their sensors. */
export function narrowedTo(filter: SeriesFilter, rows: readonly SeriesName[]): SeriesFilter {
  const deviceIds = [...new Set(rows.map(({ deviceId }) => deviceId))];
  const isNarrow = deviceIds.length <= namesMax && !deviceIds.includes("");
  const sensors = [...new Set(rows.map(({ sensor }) => sensor))];
  return {
    deviceIds: isNarrow ? deviceIds : filter.deviceIds,
    sensors: sensors.includes("") ? filter.sensors : sensors,
  };
}

/** Returns the key of a row, different for each group and bucket. */
export function keyOf(row: RowPlace): string {
  return `${seriesKey(row)}\n${row.bucketMs}`;
}
