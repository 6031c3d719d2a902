import { resourceExhausted } from "@devicemesh/kit/rpc/rpc-error";
import type { BucketSizing } from "../answer/bucket-sizing.ts";
import { type BucketGrid, everyStart, fixedGrid, withinBuckets } from "../calendar/bucket-grid.ts";
import { calendarGrid } from "../calendar/calendar-grid.ts";
import {
  type Aggregate,
  addInShares,
  createGroupMerge,
  type Grouping,
  mergesDevices,
  type UnitOf,
} from "../plan/merge.ts";
import { planRead } from "../plan/planner.ts";
import { compareSeries } from "../plan/series-order.ts";
import { bucketsCutMax, joinedSpans, type Span, without } from "../plan/spans.ts";
import type { ReadingStore, SeriesFilter, SeriesPartial } from "../store/reading-store.ts";
import { exportGroupsMax, partialsPerReadMax } from "./export-limits.ts";
import type { Export } from "./readings-export.ts";
import { readSealed, seal } from "./sealed-read.ts";

/** The request: the buckets that have readings. */
export type BucketsExportRequest = {
  readonly filter: SeriesFilter;
  readonly grouping: Grouping;
  readonly timeframe: Span;
  readonly sizing: ExportSizing;
  readonly unitOf: UnitOf;
  /** `partialsPerReadMax` by default. */
  readonly partialsPerRead?: number;
};

/** The form of an export's buckets: of a size in ms, a multiple of the finest window, or calendar buckets. */
export type ExportSizing = Exclude<BucketSizing, { readonly kind: "points" }>;

/** Buckets of groups, with their boundaries. */
export type BucketsPiece = { readonly aggregates: readonly Aggregate[]; readonly buckets: BucketGrid };

/** Number of rows of one piece. */
const pieceRows = 4096;

/**
 * Begins an export of buckets, by start, then device_id, then sensor; see `ExportBuckets` in the contract. It reads as
 * many buckets at a time as have at most `partialsPerReadMax` partials.
 * @throws RpcError RESOURCE_EXHAUSTED if there are more than `exportGroupsMax` groups,
 *   INVALID_ARGUMENT if a group mixes units.
 */
export async function exportBuckets(
  store: ReadingStore,
  request: BucketsExportRequest,
  signal: AbortSignal,
): Promise<Export<BucketsPiece>> {
  const { filter, grouping, sizing, unitOf, partialsPerRead = partialsPerReadMax } = request;
  const mergeDevices = mergesDevices(grouping);
  const sealed = await seal(store, signal);
  const { horizon } = sealed;
  const { total } = await store.readSeries({ filter, limit: 1 }, signal);
  if (!mergeDevices && total > exportGroupsMax) throw tooManyGroups(total);
  const bucketsMax = sizing.kind === "calendar" ? bucketsCutMax : Number.POSITIVE_INFINITY;
  const bucketsPerRead = Math.min(Math.max(Math.floor(partialsPerRead / Math.max(total, 1)), 1), bucketsMax);
  const whole = await readSealed(
    store,
    sealed,
    { filter, timeframe: request.timeframe, mergeDevices: grouping !== "device" },
    signal,
  );
  // Mixed units in a group are an error of the whole export, not of the part in which they meet.
  createGroupMerge(grouping, unitOf).add(whole.partials);
  const extent = extentOf(whole.partials, request.timeframe);
  const buckets =
    sizing.kind === "fixed"
      ? fixedGrid(sizing.sizeMs, sizing.originMs)
      : calendarGrid(sizing.unit, sizing.zone, extent);
  const timeframe = withinBuckets(buckets, request.timeframe, extent);
  const planned = { levels: store.levels, horizon };
  // The effect of windows with duplicates is known only when their part is read.
  let notCovered: readonly Span[] = joinedSpans([
    ...without(planRead({ ...request.timeframe, ...planned }).notCovered, [timeframe]),
    ...planRead({ ...timeframe, ...planned, buckets }).notCovered,
  ]);
  let readings = 0;
  let fromRaw = 0;

  async function* pieces(): AsyncGenerator<BucketsPiece> {
    let emptyBeforeMs = extent.sinceMs;
    for (const part of partsOf({ timeframe, extent, buckets, bucketsPerRead })) {
      if (part.toMs <= emptyBeforeMs) continue;
      const read = await readSealed(
        store,
        sealed,
        { filter, timeframe: part, buckets, mergeDevices },
        signal,
      );
      notCovered = joinedSpans([...notCovered, ...read.notCovered]);
      if (read.partials.length === 0) {
        // One clock that is wrong by years must not cause a read for each hour of them.
        const rest = { sinceMs: part.toMs, toMs: timeframe.toMs };
        const later = await readSealed(
          store,
          sealed,
          { filter, timeframe: rest, mergeDevices: true },
          signal,
        );
        emptyBeforeMs = extentOf(later.partials, rest).sinceMs;
        continue;
      }
      const merge = createGroupMerge(grouping, unitOf);
      await addInShares(merge, read.partials);
      const rows = merge.aggregates().sort(byBucketThenGroup);
      for (let start = 0; start < rows.length; start += pieceRows) {
        const piece = rows.slice(start, start + pieceRows);
        readings += piece.reduce((sum, { partial }) => sum + partial.count, 0);
        fromRaw += piece.reduce((sum, row) => sum + row.fromRaw, 0);
        yield { aggregates: piece, buckets };
      }
    }
  }
  return {
    pieces: pieces(),
    coverage: () => ({
      completeThroughMs: horizon.completeThroughMs,
      frontierMs: horizon.frontiersMs[0] ?? 0,
      fromWindows: readings - fromRaw,
      fromRaw,
      notCovered,
    }),
  };
}

/** Returns the extent of the readings, so that empty years need no reads; empty if there are none. */
function extentOf(partials: readonly SeriesPartial[], timeframe: Span): Span {
  let [sinceMs, toMs] = [timeframe.toMs, timeframe.sinceMs];
  for (const { firstAtMs, lastAtMs } of partials) {
    sinceMs = Math.min(sinceMs, firstAtMs);
    toMs = Math.max(toMs, lastAtMs + 1);
  }
  return { sinceMs, toMs };
}

/** Divides the timeframe between buckets where there are readings. */
function* partsOf(options: {
  readonly timeframe: Span;
  readonly extent: Span;
  readonly buckets: BucketGrid;
  readonly bucketsPerRead: number;
}): Generator<Span> {
  const { timeframe, extent, buckets, bucketsPerRead } = options;
  if (extent.sinceMs >= extent.toMs) return;
  let { sinceMs } = timeframe;
  for (const startMs of everyStart(buckets, extent, bucketsPerRead)) {
    yield { sinceMs, toMs: startMs };
    sinceMs = startMs;
  }
  yield { sinceMs, toMs: timeframe.toMs };
}

function byBucketThenGroup(a: Aggregate, b: Aggregate): number {
  return a.bucketMs - b.bucketMs || compareSeries(a, b);
}

function tooManyGroups(total: number) {
  return resourceExhausted({
    subject: "groups of the export",
    description: `there are ${total} series, at most ${exportGroupsMax} are exported: filter by device or sensor, or group by sensor`,
  });
}
