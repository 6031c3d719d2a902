import { type BucketGrid, bucketStart } from "../calendar/bucket-grid.ts";
import type { Aggregate, Grouping } from "../plan/merge.ts";
import { groupOf } from "../plan/series-order.ts";
import type { Span } from "../plan/spans.ts";
import type { ReadSlots } from "../store/read-slots.ts";
import type { ReadingStore, SeriesFilter } from "../store/reading-store.ts";
import { type QuantileValue, quantilesOf } from "./quantiles.ts";
import { checkRawReadings, keyOf, narrowedTo } from "./raw-rows.ts";

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
 * @throws RpcError RESOURCE_EXHAUSTED if the rows have more than `rawReadingsMax` readings; the errors of the
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
    filter: narrowedTo(request.filter, rows),
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
        ...groupOf(grouping, { deviceId: deviceIds[place] as string, sensor: sensors[place] as string }),
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

function checkReadings(count: number): void {
  checkRawReadings(count, {
    figures: "quantiles",
    fix: "a shorter timeframe, fewer devices or a smaller page_size",
  });
}
