import { alignDown, alignUp, type Level, latestTimestampMs } from "@devicemesh/proto";
import { keyOf, narrowedTo } from "../answer/raw-rows.ts";
import { type BucketGrid, bucketEnd, everyStart } from "../calendar/bucket-grid.ts";
import { type Aggregate, mergesDevices } from "../plan/merge.ts";
import { planRead } from "../plan/planner.ts";
import { groupOf } from "../plan/series-order.ts";
import { bucketsCutMax, isCutByBucket, joinedSpans, type Span, without } from "../plan/spans.ts";
import type { ReadingStore, ReadPlan, SeriesFilter } from "../store/reading-store.ts";
import { firstSketchedLevel, type SeriesSketch } from "../store/sketch-reads.ts";
import type { StoreHorizon } from "../store/store-status.ts";
import type { QuantileValue } from "./quantiles.ts";
import type { QuantilesRequest } from "./read-quantiles.ts";
import { sketchQuantiles } from "./sketch-quantiles.ts";

/** Maximum number of rows in one read, which bounds the memory of its sketches. */
const rowsPerRead = 500;

/** The arrival that the mark of a late append states for its first duplicate: 1970. */
const lateAppendMs = 0;

/** Maximum number of spans that raw readings serve because of late appends; more are joined to one. */
const incompleteMax = 8;

/**
 * Computes quantiles of rows from the sketches of their windows, and from raw readings at the edges. A row has none if
 * some of its readings have neither, because they were stored before there were sketches and have expired.
 */
export async function readSketchQuantiles(
  store: ReadingStore,
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
      const narrowed = narrowedTo(filter, rows);
      // Read after the horizon, so that no late append before its frontier is missing.
      const incomplete = await readIncomplete(store, { ...part, filter: narrowed, horizon }, signal);
      const planned = planSketches({ ...part, buckets, levels: store.levels, horizon, incomplete });
      const read = await store.readSketches(
        { plan: planned.plan, filter: narrowed, buckets, mergeDevices },
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

/**
 * Returns the spans of whole windows whose sketches may lack readings, in order: a late append is in no partial, and its
 * mark is from before every reading. Marks of duplicates do not matter, because sketches count each reading once.
 */
async function readIncomplete(
  store: ReadingStore,
  { horizon, ...span }: Span & { readonly filter: SeriesFilter; readonly horizon: StoreHorizon },
  signal: AbortSignal,
): Promise<readonly Span[]> {
  // The first mark of a late append is made after this has moved.
  if ((horizon.coarsePureSinceMs ?? Number.POSITIVE_INFINITY) <= lateAppendMs) return [];
  const relevant = { sinceMs: latestTimestampMs, beforeMs: lateAppendMs + 1 };
  const { windows, everySeries } = await store.readDuplicateWindows({ ...span, relevant }, signal);
  const finestMs = (store.levels[0] as Level).windowMs;
  const sketchedMs = store.levels[firstSketchedLevel]?.windowMs ?? finestMs;
  const marks = windows.map(({ windowMs, toMs = windowMs + finestMs, firstDuplicateMs }) => ({
    sinceMs: windowMs,
    toMs,
    firstDuplicateMs,
  }));
  const late = [...marks, ...(everySeries ? [everySeries] : [])]
    .filter(({ firstDuplicateMs }) => firstDuplicateMs <= lateAppendMs)
    .map(({ sinceMs, toMs }) => ({
      sinceMs: Math.max(alignDown(sinceMs, sketchedMs), span.sinceMs),
      toMs: Math.min(alignUp(toMs, sketchedMs), span.toMs),
    }));
  const spans = joinedSpans(late);
  return spans.length <= incompleteMax ? spans : joinedSpans(spans, Number.POSITIVE_INFINITY);
}

/**
 * Plans like `planRead`, with raw readings instead of the levels without sketches, and instead of windows whose sketches
 * are incomplete.
 */
function planSketches(
  request: Span & {
    readonly buckets: BucketGrid | undefined;
    readonly levels: readonly Level[];
    readonly horizon: StoreHorizon;
    readonly incomplete: readonly Span[];
  },
): { readonly plan: Pick<ReadPlan, "levels" | "raw">; readonly notCovered: readonly Span[] } {
  const { horizon, incomplete, sinceMs, toMs, buckets } = request;
  const levels = request.levels.slice(firstSketchedLevel);
  const sketched = {
    ...horizon,
    frontiersMs: horizon.frontiersMs.slice(firstSketchedLevel),
    levelsKeptSinceMs: horizon.levelsKeptSinceMs.slice(firstSketchedLevel),
  };
  const planned = [
    ...without([{ sinceMs, toMs }], incomplete).map((span) =>
      planRead({ ...span, buckets, levels, horizon: sketched }),
    ),
    // Without levels, only raw readings serve.
    ...incomplete.map((span) => planRead({ ...span, levels: [], horizon: sketched })),
  ];
  return {
    plan: {
      levels: request.levels.map((_, level) =>
        planned.flatMap(({ plan }) => plan.levels[level - firstSketchedLevel] ?? []),
      ),
      raw: planned.flatMap(({ plan }) => plan.raw),
    },
    notCovered: planned.flatMap(({ notCovered }) => notCovered),
  };
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
