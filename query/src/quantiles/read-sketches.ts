import { alignDown, alignUp, type Level } from "@devicemesh/proto";
import { keyOf, narrowedTo } from "../answer/raw-rows.ts";
import { type BucketGrid, bucketEnd, everyStart } from "../calendar/bucket-grid.ts";
import { type Aggregate, mergesDevices } from "../plan/merge.ts";
import { planRead } from "../plan/planner.ts";
import { groupOf } from "../plan/series-order.ts";
import { bucketsCutMax, isCutByBucket, type Span } from "../plan/spans.ts";
import type { ReadingStore } from "../store/reading-store.ts";
import { firstSketchedLevel, type SeriesSketch, type SketchesRead } from "../store/sketch-reads.ts";
import type { StoreHorizon } from "../store/store-status.ts";
import type { QuantileValue } from "./quantiles.ts";
import type { QuantilesRequest } from "./read-quantiles.ts";
import { sketchQuantiles } from "./sketch-quantiles.ts";

/** Maximum number of rows in one read, which bounds the memory of its sketches. */
const rowsPerRead = 500;

/**
 * Computes quantiles of rows from the sketches of their windows, and from raw readings at the edges. A row has none if
 * some of its readings have neither, because they were stored before there were sketches and have expired.
 */
export async function readSketchQuantiles(
  { store, readSketches }: { readonly store: ReadingStore } & Required<Pick<ReadingStore, "readSketches">>,
  request: QuantilesRequest,
  signal: AbortSignal,
): Promise<ReadonlyMap<Aggregate, readonly QuantileValue[]>> {
  const { quantiles, filter, grouping, buckets } = request;
  const found = new Map<Aggregate, readonly QuantileValue[]>();
  const mergeDevices = mergesDevices(grouping);
  for (let start = 0; start < request.rows.length; start += rowsPerRead) {
    const rows = request.rows.slice(start, start + rowsPerRead);
    const sums = new Map(rows.map((row) => [keyOf(row), new Map<number, number>()]));
    const notCovered: Span[] = [];
    for (const part of partsOf(rows, request, store.levels)) {
      const horizon = await store.readHorizon(signal);
      const planned = planSketches({ ...part, buckets, levels: store.levels, horizon });
      const read: SketchesRead = await readSketches(
        { plan: planned.plan, filter: narrowedTo(filter, rows), buckets, mergeDevices },
        signal,
      );
      notCovered.push(...planned.notCovered, ...read.notCovered);
      for (const each of read.sketches) addSketch(sums, each, request);
    }
    for (const row of rows) {
      if (notCovered.some((span) => hasReadingsAround(row, span))) continue;
      const values = sketchQuantiles(sums.get(keyOf(row)) ?? new Map(), row.partial, quantiles);
      if (values.length > 0) found.set(row, values);
    }
  }
  return found;
}

/** Plans like `planRead`, with raw readings instead of the levels without sketches. */
function planSketches(
  request: Span & {
    readonly buckets: BucketGrid | undefined;
    readonly levels: readonly Level[];
    readonly horizon: StoreHorizon;
  },
) {
  const { horizon } = request;
  const planned = planRead({
    ...request,
    levels: request.levels.slice(firstSketchedLevel),
    horizon: {
      ...horizon,
      frontiersMs: horizon.frontiersMs.slice(firstSketchedLevel),
      levelsKeptSinceMs: horizon.levelsKeptSinceMs.slice(firstSketchedLevel),
    },
  });
  const finer = request.levels.slice(0, firstSketchedLevel).map(() => []);
  return { ...planned, plan: { ...planned.plan, levels: [...finer, ...planned.plan.levels] } };
}

/**
 * Returns the parts of the timeframe to read one after the other: few buckets at a time if a plan then reads windows
 * inside of them, otherwise all. Without buckets the time of the rows is widened to whole windows.
 */
function* partsOf(
  rows: readonly Aggregate[],
  { timeframe, buckets }: QuantilesRequest,
  levels: readonly Level[],
): Generator<Span> {
  const within = (sinceMs: number, toMs: number): Span => ({
    sinceMs: Math.max(timeframe.sinceMs, sinceMs),
    toMs: Math.min(timeframe.toMs, toMs),
  });
  if (!buckets) {
    const { windowMs } = levels.at(-1) as Level;
    const firstMs = Math.min(...rows.map(({ partial }) => partial.firstAtMs));
    const lastMs = Math.max(...rows.map(({ partial }) => partial.lastAtMs));
    yield within(alignDown(firstMs, windowMs), alignUp(lastMs + 1, windowMs));
    return;
  }
  const starts = rows.map(({ bucketMs }) => bucketMs);
  const span = within(Math.min(...starts), bucketEnd(buckets, Math.max(...starts)));
  let { sinceMs } = span;
  if (isCutByBucket(buckets, levels.slice(firstSketchedLevel))) {
    for (const startMs of everyStart(buckets, span, bucketsCutMax)) {
      yield { sinceMs, toMs: startMs };
      sinceMs = startMs;
    }
  }
  yield { sinceMs, toMs: span.toMs };
}

function addSketch(
  sums: ReadonlyMap<string, Map<number, number>>,
  { deviceId, sensor, bucketMs, sketch }: SeriesSketch,
  { grouping }: QuantilesRequest,
): void {
  const sum = sums.get(keyOf({ ...groupOf(grouping, { deviceId, sensor }), bucketMs }));
  if (!sum) return;
  for (const [bucket, count] of sketch) sum.set(bucket, (sum.get(bucket) ?? 0) + count);
}

function hasReadingsAround({ partial }: Aggregate, { sinceMs, toMs }: Span): boolean {
  return partial.firstAtMs < toMs && partial.lastAtMs >= sinceMs;
}
