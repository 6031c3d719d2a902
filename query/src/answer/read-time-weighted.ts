import { createLoopShare } from "@devicemesh/kit/async/event-loop-share";
import { type BucketGrid, bucketEnd } from "../calendar/bucket-grid.ts";
import type { Aggregate, Grouping, UnitOf } from "../plan/merge.ts";
import { allTime } from "../plan/planner.ts";
import { groupOf, seriesKey } from "../plan/series-order.ts";
import type { ReadSlots } from "../store/read-slots.ts";
import type { ReadingStore, SeriesFilter } from "../store/reading-store.ts";
import type { RowPlace } from "./aggregate-rows.ts";
import { createHeldSum, createHeldValues, type HeldSpan, type TimeWeighted } from "./held-values.ts";
import { keyOf, narrowedTo, rawReadingsMax, tooManyRawReadings } from "./raw-rows.ts";
import type { Timeframe } from "./read-timeframe.ts";

/** A row of the page: a group with the unit of its values, and the start of its bucket. */
export type TimedRow = RowPlace & { readonly unit: string };

/** The rows whose time-weighted averages are computed, and the answer that they belong to. */
export type TimeWeightedRequest<Row extends TimedRow> = {
  readonly filter: SeriesFilter;
  readonly grouping: Grouping;
  readonly timeframe: Timeframe;
  readonly buckets?: BucketGrid | undefined;
  /** All aggregates of the answer: an unset bound follows the readings of a group on all pages. */
  readonly aggregates: readonly Aggregate[];
  /** By group, then by start. */
  readonly rows: readonly Row[];
  readonly maxHoldMs: number;
};

/**
 * Computes the time-weighted averages of rows from raw readings, in one pass over those of all the rows and those up to
 * `maxHoldMs` before them. A row has none if no value holds in its time, or if it needs readings from before the
 * retention of raw readings.
 * @throws RpcError RESOURCE_EXHAUSTED if the rows need more than `rawReadingsMax` readings; the errors of the store.
 */
export async function readTimeWeighted<Row extends TimedRow>(
  {
    store,
    unitOf,
    reads,
  }: { readonly store: ReadingStore; readonly unitOf: UnitOf; readonly reads: ReadSlots },
  request: TimeWeightedRequest<Row>,
  signal: AbortSignal,
): Promise<ReadonlyMap<Row, TimeWeighted>> {
  if (request.rows.length === 0) return new Map();
  const free = await reads.take(signal);
  try {
    const { rawKeptSinceMs } = await store.readHorizon(signal);
    const spans = spansOf(request).filter(({ neededSinceMs }) => neededSinceMs >= rawKeptSinceMs);
    checkReadings(spans.reduce((sum, { count }) => sum + count, 0));
    if (spans.length > 0) await addHeldValues({ store, unitOf }, { ...request, spans }, signal);
    return new Map(
      spans.flatMap(({ row, sum }) => {
        const result = sum.result();
        return result ? [[row, result] as const] : [];
      }),
    );
  } finally {
    free();
  }
}

/** The time of a row, with the readings that it needs: those from `neededSinceMs` on. */
type RowSpan<Row> = HeldSpan & { readonly row: Row; readonly neededSinceMs: number; readonly count: number };

/** Returns the times of the rows, in their order; rows without any are left out. */
function spansOf<Row extends TimedRow>(request: TimeWeightedRequest<Row>): RowSpan<Row>[] {
  const { timeframe, buckets, aggregates, rows, maxHoldMs } = request;
  const counts = new Map<string, number>();
  const extents = new Map<string, { firstMs: number; lastMs: number }>();
  for (const aggregate of aggregates) {
    const { firstAtMs, lastAtMs, count } = aggregate.partial;
    counts.set(keyOf(aggregate), count);
    const extent = extents.get(seriesKey(aggregate));
    if (!extent) extents.set(seriesKey(aggregate), { firstMs: firstAtMs, lastMs: lastAtMs });
    else {
      extent.firstMs = Math.min(extent.firstMs, firstAtMs);
      extent.lastMs = Math.max(extent.lastMs, lastAtMs);
    }
  }
  return rows.flatMap((row) => {
    // A group without readings has no time if a bound is unset.
    const extent = extents.get(seriesKey(row)) ?? { firstMs: allTime.toMs, lastMs: allTime.sinceMs };
    const groupSinceMs = timeframe.hasSince ? timeframe.sinceMs : extent.firstMs;
    const groupToMs = timeframe.hasTo ? timeframe.toMs : extent.lastMs;
    const sinceMs = buckets ? Math.max(groupSinceMs, row.bucketMs) : groupSinceMs;
    const toMs = buckets ? Math.min(groupToMs, bucketEnd(buckets, row.bucketMs)) : groupToMs;
    if (sinceMs >= toMs) return [];
    const earliestMs = timeframe.hasSince ? allTime.sinceMs : groupSinceMs;
    const neededSinceMs = Math.max(sinceMs - maxHoldMs, earliestMs);
    return [{ row, sinceMs, toMs, neededSinceMs, sum: createHeldSum(), count: counts.get(keyOf(row)) ?? 0 }];
  });
}

/** Adds the values of all readings to the sums of the spans in which they hold. */
async function addHeldValues<Row extends TimedRow>(
  { store, unitOf }: { readonly store: ReadingStore; readonly unitOf: UnitOf },
  {
    filter,
    grouping,
    spans,
    maxHoldMs,
  }: TimeWeightedRequest<Row> & { readonly spans: readonly RowSpan<Row>[] },
  signal: AbortSignal,
): Promise<void> {
  const spansOfGroup = Map.groupBy(spans, ({ row }) => seriesKey(row));
  const scan = {
    filter: narrowedTo(
      filter,
      spans.map(({ row }) => row),
    ),
    sinceMs: spans.reduce((since, { neededSinceMs }) => Math.min(since, neededSinceMs), allTime.toMs),
    toMs: spans.reduce((to, { toMs }) => Math.max(to, toMs), allTime.sinceMs),
    // The rows count all readings that had arrived when they were read, sealed or not.
    arrivedToMs: Number.POSITIVE_INFINITY,
  };
  const held = createHeldValues(maxHoldMs);
  const share = createLoopShare();
  let count = 0;
  for await (const { timestampsMs, deviceIds, sensors, values } of store.scanReadings(scan, signal)) {
    for (const [place, value] of values.entries()) {
      const series = { deviceId: deviceIds[place] as string, sensor: sensors[place] as string };
      const ofGroup = spansOfGroup.get(seriesKey(groupOf(grouping, series)));
      if (!ofGroup) continue;
      const [{ row }] = ofGroup as [RowSpan<Row>];
      // Readings before the timeframe may have another unit than those in it.
      if (row.sensor === "" && (row.unit === "" || unitOf(series.sensor) !== row.unit)) continue;
      held.add(seriesKey(series), { timestampMs: timestampsMs[place] as number, value }, ofGroup);
      count++;
    }
    checkReadings(count);
    await share();
  }
  for (const _ of held.end()) await share();
}

function checkReadings(count: number): void {
  if (count <= rawReadingsMax) return;
  throw tooManyRawReadings({
    figures: "time-weighted averages",
    fix: "a shorter timeframe, a shorter max_hold, fewer devices or a smaller page_size",
  });
}
