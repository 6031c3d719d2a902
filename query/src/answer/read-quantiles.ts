import { resourceExhausted } from "@devicemesh/kit/rpc/rpc-error";
import { type BucketGrid, bucketStart } from "../calendar/bucket-grid.ts";
import type { Aggregate, Grouping } from "../plan/merge.ts";
import type { Span } from "../plan/spans.ts";
import type { ReadSlots } from "../store/read-slots.ts";
import type { ReadingStore, SeriesFilter } from "../store/reading-store.ts";
import { type QuantileValue, quantilesOf } from "./quantiles.ts";

/** Maximum number of readings for the quantiles of one page: their values are sorted in memory. */
export const quantileReadingsMax = 1_000_000;

/**
 * Maximum number of names that a scan is narrowed to; beyond it, the scan reads everything that the request matches.
 */
const namesMax = 1000;

/** The rows, and their answer, whose quantiles are computed. */
export type QuantilesRequest = {
  readonly filter: SeriesFilter;
  readonly grouping: Grouping;
  readonly timeframe: Span;
  readonly buckets?: BucketGrid | undefined;
  readonly rows: readonly Aggregate[];
  readonly quantiles: readonly number[];
};

/**
 * Computes exact quantiles of rows from their raw readings, in one pass over those of all the rows. A row with readings
 * from before the retention of raw readings has none.
 * @throws RpcError RESOURCE_EXHAUSTED if the rows have more than `quantileReadingsMax` readings; the errors of the
 * store.
 */
export async function readQuantiles(
  { store, reads }: { readonly store: ReadingStore; readonly reads: ReadSlots },
  request: QuantilesRequest,
  signal: AbortSignal,
): Promise<ReadonlyMap<Aggregate, readonly QuantileValue[]>> {
  if (request.quantiles.length === 0 || request.rows.length === 0) return new Map();
  const free = await reads.take(signal);
  try {
    return await scanQuantiles(store, request, signal);
  } finally {
    free();
  }
}

async function scanQuantiles(
  store: ReadingStore,
  request: QuantilesRequest,
  signal: AbortSignal,
): Promise<ReadonlyMap<Aggregate, readonly QuantileValue[]>> {
  const { grouping, buckets, quantiles } = request;
  const found = new Map<Aggregate, readonly QuantileValue[]>();
  const { rawKeptSinceMs } = await store.readHorizon(signal);
  const rows = request.rows.filter(({ partial }) => partial.firstAtMs >= rawKeptSinceMs);
  checkReadings(rows.reduce((sum, { partial }) => sum + partial.count, 0));
  const valuesOf = new Map(rows.map((row) => [keyOf(row), [] as number[]]));
  const scan = {
    filter: narrowed(request.filter, rows),
    sinceMs: Math.max(Math.min(...rows.map(({ partial }) => partial.firstAtMs)), request.timeframe.sinceMs),
    toMs: Math.min(Math.max(...rows.map(({ partial }) => partial.lastAtMs)) + 1, request.timeframe.toMs),
    // The rows count all readings that had arrived when they were read, sealed or not.
    arrivedToMs: Number.POSITIVE_INFINITY,
  };
  if (rows.length === 0 || scan.sinceMs >= scan.toMs) return found;
  let count = 0;
  for await (const { timestampsMs, deviceIds, sensors, values } of store.scanReadings(scan, signal)) {
    for (const [place, value] of values.entries()) {
      const key = keyOf({
        deviceId: grouping === "series" || grouping === "device" ? (deviceIds[place] as string) : "",
        sensor: grouping === "series" || grouping === "sensor" ? (sensors[place] as string) : "",
        bucketMs: buckets ? bucketStart(buckets, timestampsMs[place] as number) : 0,
      });
      const ofRow = valuesOf.get(key);
      if (!ofRow) continue;
      ofRow.push(value);
      count++;
    }
    // Readings may have arrived since the rows were read.
    checkReadings(count);
  }
  for (const row of rows) {
    const values = Float64Array.from(valuesOf.get(keyOf(row)) ?? []);
    if (values.length > 0) found.set(row, await quantilesOf(values, quantiles));
  }
  return found;
}

/** Returns the filter, narrowed to the devices of the rows if they are few. */
function narrowed(filter: SeriesFilter, rows: readonly Aggregate[]): SeriesFilter {
  const deviceIds = [...new Set(rows.map(({ deviceId }) => deviceId))];
  const isNarrow = deviceIds.length <= namesMax && !deviceIds.includes("");
  const sensors = [...new Set(rows.map(({ sensor }) => sensor))];
  return {
    deviceIds: isNarrow ? deviceIds : filter.deviceIds,
    sensors: sensors.includes("") ? filter.sensors : sensors,
  };
}

function checkReadings(count: number): void {
  if (count <= quantileReadingsMax) return;
  throw resourceExhausted({
    subject: "readings of quantiles",
    description: `quantiles are computed from at most ${quantileReadingsMax} raw readings a page, and these rows have more: choose a shorter timeframe, fewer devices or a smaller page_size`,
  });
}

function keyOf({ deviceId, sensor, bucketMs }: Pick<Aggregate, "deviceId" | "sensor" | "bucketMs">): string {
  return `${deviceId}\n${sensor}\n${bucketMs}`;
}
