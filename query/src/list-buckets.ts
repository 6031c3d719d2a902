import type { MessageInitShape } from "@bufbuild/protobuf";
import { resourceExhausted } from "@devicemesh/kit/rpc-error";
import { alignDown, type Level } from "@devicemesh/proto";
import type { BucketSchema } from "@devicemesh/proto/es/devicemesh/v1/aggregate_pb.ts";
import type {
  ListBucketsRequest,
  ListBucketsResponseSchema,
} from "@devicemesh/proto/es/devicemesh/v1/query_service_pb.ts";
import { bucketMessage, emptyBucketMessage, groupingOf } from "./aggregate-rows.ts";
import { checkRows, seriesBucketsMax } from "./answer-limits.ts";
import { bucketsIn, pickBucketSize, requestedBucketSize } from "./bucket-size.ts";
import { coverageMessage } from "./coverage.ts";
import type { Aggregate } from "./merge.ts";
import type { Span } from "./planner.ts";
import { readBuckets } from "./read-buckets.ts";
import { readTimeframe } from "./read-timeframe.ts";
import type { ReadingStore, SeriesFilter } from "./reading-store.ts";
import { type Timeframe, timeframeOf } from "./timeframe.ts";

/** What is picked where the request says nothing of the resolution. */
const defaultPointsMax = 300;

/** How often a size is picked again because readings came in between that make the extent longer. */
const picksMax = 3;

/**
 * Answers ListBuckets. With `fill` every group that has readings in the timeframe has every bucket of it;
 * where a bound is unset, from the first or to the last reading found over all groups.
 * @throws RpcError INVALID_ARGUMENT on `bucket` and if a group mixes units, RESOURCE_EXHAUSTED if there are
 *   too many buckets.
 */
export async function listBuckets(
  store: ReadingStore,
  request: ListBucketsRequest,
  signal: AbortSignal,
): Promise<MessageInitShape<typeof ListBucketsResponseSchema>> {
  const { deviceIds, sensors, groupBy, resolution, fill } = request;
  const filter = { deviceIds, sensors };
  const timeframe = timeframeOf(request);
  const { windowMs } = store.levels[0] as Level;
  const fixedMs = resolution.case === "bucket" ? requestedBucketSize(resolution.value, windowMs) : undefined;
  const pointsMax = resolution.case === "maxPoints" ? resolution.value : defaultPointsMax;

  const isBounded = timeframe.hasSince && timeframe.hasTo;
  const isFew = fixedMs === undefined || bucketsIn(timeframe, fixedMs) <= seriesBucketsMax;
  let extent = isBounded && isFew ? timeframe : await findExtent(store, { filter, timeframe }, signal);
  for (let picks = 1; ; picks++) {
    const charted = chartedSpan(timeframe, extent);
    const bucketMs = fixedMs ?? pickBucketSize({ span: charted, pointsMax, windowMs });
    checkBuckets(fill ? charted : extent, bucketMs);
    const { aggregates, coverage } = await readBuckets(
      store,
      { filter, grouping: groupingOf(groupBy), timeframe, extent, bucketMs },
      signal,
    );
    extent = extentOf(aggregates, extent);
    const found = chartedSpan(timeframe, extent);
    if (fixedMs === undefined && picks < picksMax && bucketsIn(found, bucketMs) > pointsMax) continue;
    return {
      bucket: { seconds: BigInt(Math.floor(bucketMs / 1000)), nanos: (bucketMs % 1000) * 1_000_000 },
      buckets: fill
        ? filled(aggregates, found, bucketMs)
        : aggregates.map((aggregate) => bucketMessage(aggregate, bucketMs)),
      coverage: coverageMessage(coverage),
    };
  }
}

/** Where the readings of a timeframe lie; empty if there are none. */
async function findExtent(
  store: ReadingStore,
  request: { readonly filter: SeriesFilter; readonly timeframe: Timeframe },
  signal: AbortSignal,
): Promise<Span> {
  const { partials } = await readTimeframe(store, request, signal);
  return partials.reduce<Span>(
    (span, { firstAtMs, lastAtMs }) => lengthened(span, { sinceMs: firstAtMs, toMs: lastAtMs + 1 }),
    { sinceMs: 0, toMs: 0 },
  );
}

function extentOf(aggregates: readonly Aggregate[], start: Span): Span {
  return aggregates.reduce(
    (span, { partial }) => lengthened(span, { sinceMs: partial.firstAtMs, toMs: partial.lastAtMs + 1 }),
    start,
  );
}

function lengthened(a: Span, b: Span): Span {
  if (a.sinceMs >= a.toMs) return b;
  return { sinceMs: Math.min(a.sinceMs, b.sinceMs), toMs: Math.max(a.toMs, b.toMs) };
}

/** The timeframe; where it has no bound, that of the readings. Empty if it has none and there are none. */
function chartedSpan(timeframe: Timeframe, extent: Span): Span {
  if (extent.sinceMs >= extent.toMs && !(timeframe.hasSince && timeframe.hasTo))
    return { sinceMs: 0, toMs: 0 };
  return {
    sinceMs: timeframe.hasSince ? timeframe.sinceMs : extent.sinceMs,
    toMs: timeframe.hasTo ? timeframe.toMs : extent.toMs,
  };
}

function checkBuckets(span: Span, bucketMs: number): void {
  const buckets = bucketsIn(span, bucketMs);
  if (buckets <= seriesBucketsMax) return;
  throw resourceExhausted({
    subject: "buckets of a series",
    description: `there are ${buckets}, at most ${seriesBucketsMax} are answered: choose a larger bucket, max_points, or a shorter timeframe`,
  });
}

function filled(
  aggregates: readonly Aggregate[],
  span: Span,
  bucketMs: number,
): MessageInitShape<typeof BucketSchema>[] {
  const groups = Map.groupBy(aggregates, ({ deviceId, sensor }) => `${deviceId}\n${sensor}`);
  checkRows(groups.size * bucketsIn(span, bucketMs), "choose a larger bucket, do not fill, or filter");
  return [...groups.values()].flatMap((group) => {
    const byStart = new Map(group.map((aggregate) => [aggregate.bucketMs, aggregate]));
    const [first] = group as [Aggregate];
    const buckets: MessageInitShape<typeof BucketSchema>[] = [];
    for (let ms = alignDown(span.sinceMs, bucketMs); ms < span.toMs; ms += bucketMs) {
      const aggregate = byStart.get(ms);
      buckets.push(
        aggregate
          ? bucketMessage(aggregate, bucketMs)
          : emptyBucketMessage(first, { startMs: ms, sizeMs: bucketMs }),
      );
    }
    return buckets;
  });
}
