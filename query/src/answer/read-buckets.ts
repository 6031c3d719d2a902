import type { Level } from "@devicemesh/proto";
import { type BucketGrid, everyStart } from "../calendar/bucket-grid.ts";
import {
  type Aggregate,
  addInShares,
  createGroupMerge,
  type Grouping,
  mergesDevices,
  type UnitOf,
} from "../plan/merge.ts";
import type { Span } from "../plan/spans.ts";
import { bucketsCutMax, isCutByBucket } from "../plan/spans.ts";
import type { ReadingStore, SeriesFilter } from "../store/reading-store.ts";
import type { AnswerCoverage } from "./aggregate-rows.ts";
import { checkRows, partialsMaxOf } from "./aggregate-rows.ts";
import { readTimeframe } from "./read-timeframe.ts";

/** Maximum number of partials of one read, so that many series with many buckets are read in parts. */
const partialsPerReadMax = 200_000;

/** Expected number of groups if the sensors are not named and devices are merged. */
const mergedGroups = 16;

/** The request; `extent` is the extent of the readings, if it is known to be smaller than the timeframe. */
export type BucketsRequest = {
  readonly filter: SeriesFilter;
  readonly grouping: Grouping;
  readonly timeframe: Span;
  readonly extent: Span;
  readonly buckets: BucketGrid;
  readonly unitOf: UnitOf;
};

/**
 * Returns the aggregates of each bucket. A large answer is read in parts, one after the other, each exact; its coverage
 * is that of the first part.
 * @throws RpcError INVALID_ARGUMENT if a group mixes units, RESOURCE_EXHAUSTED if there are too many rows.
 */
export async function readBuckets(
  store: ReadingStore,
  request: BucketsRequest,
  signal: AbortSignal,
): Promise<{ readonly aggregates: readonly Aggregate[]; readonly coverage: AnswerCoverage }> {
  const { filter, grouping, timeframe, buckets, unitOf } = request;
  const merge = createGroupMerge(grouping, unitOf);
  let coverage: AnswerCoverage | undefined;
  const mergeDevices = mergesDevices(grouping);
  const groups = mergeDevices
    ? filter.sensors.length || mergedGroups
    : (await store.readSeries({ filter, limit: 1 }, signal)).total;
  const partialsMax = Math.max(partialsPerReadMax, partialsMaxOf(grouping));
  for (const part of parts(request, groups, store.levels)) {
    const read = await readTimeframe(
      store,
      { filter, timeframe: part, buckets, mergeDevices, partialsMax },
      signal,
    );
    await addInShares(merge, read.partials);
    checkRows(
      read.tooMany ?? merge.size,
      "choose a larger bucket or fewer max_points, a shorter timeframe, or a filter",
    );
    coverage = coverage ? joinedCoverage(coverage, read.coverage) : read.coverage;
  }
  coverage ??= (await readTimeframe(store, { filter, timeframe, buckets }, signal)).coverage;
  return { aggregates: merge.aggregates(), coverage };
}

/** Divides the timeframe between buckets. Only inside the extent: the rest is empty or small. */
function* parts(
  { timeframe, extent, buckets }: BucketsRequest,
  groups: number,
  levels: readonly Level[],
): Generator<Span> {
  const most = isCutByBucket(buckets, levels) ? bucketsCutMax : Number.POSITIVE_INFINITY;
  const bucketsPerRead = Math.min(Math.max(Math.floor(partialsPerReadMax / Math.max(groups, 1)), 1), most);
  let { sinceMs } = timeframe;
  for (const startMs of everyStart(buckets, extent, bucketsPerRead)) {
    yield { sinceMs, toMs: startMs };
    sinceMs = startMs;
  }
  if (sinceMs < timeframe.toMs) yield { sinceMs, toMs: timeframe.toMs };
}

/** Returns the joint coverage of two answers; `b` is of a later timeframe. */
export function joinedCoverage(a: AnswerCoverage, b: AnswerCoverage): AnswerCoverage {
  const notCovered = [...a.notCovered];
  for (const span of b.notCovered) {
    const last = notCovered.at(-1);
    if (last?.toMs === span.sinceMs) notCovered[notCovered.length - 1] = { ...last, toMs: span.toMs };
    else notCovered.push(span);
  }
  return {
    completeThroughMs: Math.min(a.completeThroughMs, b.completeThroughMs),
    frontierMs: Math.min(a.frontierMs, b.frontierMs),
    fromWindows: a.fromWindows + b.fromWindows,
    fromRaw: a.fromRaw + b.fromRaw,
    notCovered,
  };
}
