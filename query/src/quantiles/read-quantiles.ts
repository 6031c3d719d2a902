import { keyOf, narrowedTo, rawReadingsMax } from "../answer/raw-rows.ts";
import { type BucketGrid, bucketStart } from "../calendar/bucket-grid.ts";
import type { Aggregate, Grouping } from "../plan/merge.ts";
import { groupOf } from "../plan/series-order.ts";
import type { Span } from "../plan/spans.ts";
import type { ReadSlots } from "../store/read-slots.ts";
import type { ReadingStore, SeriesFilter } from "../store/reading-store.ts";
import { type QuantileValue, quantilesOf } from "./quantiles.ts";
import { readSketchQuantiles } from "./read-sketches.ts";

/** The rows, and their answer, whose quantiles are computed. */
export type QuantilesRequest = {
  readonly filter: SeriesFilter;
  readonly grouping: Grouping;
  readonly timeframe: Span;
  readonly buckets?: BucketGrid | undefined;
  readonly rows: readonly Aggregate[];
  readonly quantiles: readonly number[];
};

/** The quantiles of rows; a row without any is missing. */
type Quantiles = ReadonlyMap<Aggregate, readonly QuantileValue[]>;

/** The dependencies of quantiles; exact ones are computed from at most `exactMax` readings a page. */
export type QuantilesDependencies = {
  readonly store: ReadingStore;
  readonly reads: ReadSlots;
  /** `rawReadingsMax` by default. */
  readonly exactMax?: number | undefined;
};

/**
 * Computes quantiles of rows: exact ones from their raw readings, in one pass over those of all the rows, or, if there
 * are too many or some have expired, from the sketches of the store. A row that needs expired readings has none if the
 * store has no sketches of them. Throws the errors of the store.
 */
export async function readQuantiles(
  { store, reads, exactMax = rawReadingsMax }: QuantilesDependencies,
  request: QuantilesRequest,
  signal: AbortSignal,
): Promise<Quantiles> {
  if (request.quantiles.length === 0 || request.rows.length === 0) return new Map();
  const free = await reads.take(signal);
  try {
    const { rawKeptSinceMs } = await store.readHorizon(signal);
    const kept = request.rows.filter(({ partial }) => partial.firstAtMs >= rawKeptSinceMs);
    const exact = await scanQuantiles(store, { ...request, rows: kept, exactMax }, signal);
    const rest = request.rows.filter((row) => !exact?.has(row));
    if (rest.length === 0) return exact ?? new Map();
    const sketched = await readSketchQuantiles(store, { ...request, rows: rest }, signal);
    return new Map([...(exact ?? []), ...sketched]);
  } finally {
    free();
  }
}

/** Returns exact quantiles; undefined if the rows have more than `exactMax` readings. */
async function scanQuantiles(
  store: ReadingStore,
  request: QuantilesRequest & { readonly exactMax: number },
  signal: AbortSignal,
): Promise<Quantiles | undefined> {
  const { rows, grouping, buckets, quantiles, exactMax } = request;
  const found = new Map<Aggregate, readonly QuantileValue[]>();
  if (rows.reduce((sum, { partial }) => sum + partial.count, 0) > exactMax) return undefined;
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
    if (count > exactMax) return undefined;
  }
  for (const row of rows) {
    const values = Float64Array.from(valuesOf.get(keyOf(row)) ?? []);
    if (values.length > 0) found.set(row, await quantilesOf(values, quantiles));
  }
  return found;
}
