import type { AnswerCoverage } from "../answer/aggregate-rows.ts";
import { checkRows } from "../answer/aggregate-rows.ts";
import { joinedCoverage, readBuckets } from "../answer/read-buckets.ts";
import { readTimeframe } from "../answer/read-timeframe.ts";
import { bucketEnd, bucketStart } from "../calendar/bucket-grid.ts";
import { type Aggregate, createGroupMerge, type UnitOf } from "../plan/merge.ts";
import { allTime } from "../plan/planner.ts";
import type { ReadingStore } from "../store/reading-store.ts";
import type { WatchQuestion } from "./watch-question.ts";

/** The report of a watch at one time. */
export type LiveWindow = {
  /** The last buckets; the newest contains the current time. */
  readonly buckets: readonly Aggregate[];
  /** The readings after the newest bucket: one aggregate for each group with any. */
  readonly ahead: readonly Aggregate[];
  /** The end of the newest bucket, ms since 1970. */
  readonly endMs: number;
  readonly coverage: AnswerCoverage;
};

/** The end of the bucket that contains the current time, ms since 1970. */
export function liveWindowEnd({ buckets }: WatchQuestion, nowMs: number): number {
  return bucketEnd(buckets, bucketStart(buckets, nowMs));
}

/**
 * Reads the buckets up to the current time, whatever timestamps devices send, and the readings ahead of them.
 * @throws RpcError INVALID_ARGUMENT if a group mixes units, RESOURCE_EXHAUSTED if there are too many rows.
 */
export async function readLiveWindow(
  { store, nowMs, unitOf }: { readonly store: ReadingStore; readonly nowMs: number; readonly unitOf: UnitOf },
  question: WatchQuestion,
  signal: AbortSignal,
): Promise<LiveWindow> {
  const { filter, grouping, bucketMs, buckets, lastBuckets } = question;
  const endMs = liveWindowEnd(question, nowMs);
  const toMs = Math.min(endMs, allTime.toMs);
  const timeframe = { sinceMs: Math.max(endMs - lastBuckets * bucketMs, allTime.sinceMs), toMs };
  const { aggregates, coverage } = await readBuckets(
    store,
    { filter, grouping, timeframe, extent: timeframe, buckets, unitOf },
    signal,
  );
  const aheadOf = { filter, sinceMs: toMs, toMs: allTime.toMs };
  // Usually nothing is ahead, and checking that costs a fraction of adding it up.
  const newest = await store.readReadings({ ...aheadOf, descending: true, limit: 1 }, signal);
  if (newest.length === 0) return { buckets: aggregates, ahead: [], endMs, coverage };
  const after = await readTimeframe(store, { filter, timeframe: aheadOf }, signal);
  const merge = createGroupMerge(grouping, unitOf);
  merge.add(after.partials);
  checkRows(aggregates.length + merge.size, "filter by device_ids or sensors, or group by sensor or all");
  return {
    buckets: aggregates,
    ahead: merge.aggregates(),
    endMs,
    coverage: joinedCoverage(coverage, after.coverage),
  };
}
