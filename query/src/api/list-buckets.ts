import type { MessageInitShape } from "@bufbuild/protobuf";
import { resourceExhausted } from "@devicemesh/kit/rpc/rpc-error";
import type { Level } from "@devicemesh/proto";
import type {
  ListBucketsRequest,
  ListBucketsResponseSchema,
} from "@devicemesh/proto/es/devicemesh/v1/query_service_pb.ts";
import { bucketMessage, emptyBucketMessage, groupingOf } from "../answer/aggregate-rows.ts";
import { seriesBucketsMax } from "../answer/answer-limits.ts";
import { type BucketsPlace, pageOfRows, readingsOf } from "../answer/answer-pages.ts";
import { coverageMessage } from "../answer/coverage.ts";
import { filledRows, silentGroups } from "../answer/filled-buckets.ts";
import { readBuckets } from "../answer/read-buckets.ts";
import { readTimeframe } from "../answer/read-timeframe.ts";
import { bucketsIn, pickBucketSize, requestedBucketSize } from "../plan/bucket-size.ts";
import type { Aggregate } from "../plan/merge.ts";
import type { Span } from "../plan/planner.ts";
import type { ReadingStore, SeriesFilter } from "../store/reading-store.ts";
import type { PageTokens } from "./page-token.ts";
import { type Timeframe, timeframeOf } from "./timeframe.ts";

/** What is picked where the request says nothing of the resolution. */
const defaultPointsMax = 300;

/** How often a size is picked again because readings came in between that make the extent longer. */
const picksMax = 3;

/**
 * Answers ListBuckets, a page at a time. The first page decides the size of the buckets and, with `fill`, their span:
 * that of the timeframe or, where a bound is unset, from the first or to the last reading found over all groups.
 * With `fill` every group that has readings in the timeframe, and every known group of the devices asked for, has
 * every bucket of the span. Each page is exact for what had arrived when it was read.
 * @throws RpcError INVALID_ARGUMENT on `bucket`, on `page_token` and if a group mixes units, RESOURCE_EXHAUSTED if
 *   there are too many buckets.
 */
export async function listBuckets(
  { store, pageTokens }: { readonly store: ReadingStore; readonly pageTokens: PageTokens<BucketsPlace> },
  request: ListBucketsRequest,
  signal: AbortSignal,
): Promise<MessageInitShape<typeof ListBucketsResponseSchema>> {
  const { deviceIds, sensors, resolution, fill, pageSize } = request;
  const filter = { deviceIds, sensors };
  const grouping = groupingOf(request.groupBy);
  const timeframe = timeframeOf(request);
  const query = queryOf(request);
  const place = request.pageToken === "" ? undefined : pageTokens.open(request.pageToken, query);
  const { windowMs } = store.levels[0] as Level;
  const fixedMs =
    place?.sizeMs ??
    (resolution.case === "bucket" ? requestedBucketSize(resolution.value, windowMs) : undefined);
  const pointsMax = resolution.case === "maxPoints" ? resolution.value : defaultPointsMax;

  const isBounded = timeframe.hasSince && timeframe.hasTo;
  const isFew = fixedMs === undefined || bucketsIn(timeframe, fixedMs) <= seriesBucketsMax;
  let extent = isBounded && isFew ? timeframe : await findExtent(store, { filter, timeframe }, signal);
  for (let picks = 1; ; picks++) {
    const charted = chartedSpan(timeframe, extent);
    const bucketMs = fixedMs ?? pickBucketSize({ span: charted, pointsMax, windowMs });
    checkBuckets(fill ? (place?.filled ?? charted) : extent, bucketMs);
    const { aggregates, coverage } = await readBuckets(
      store,
      { filter, grouping, timeframe, extent, bucketMs },
      signal,
    );
    extent = extentOf(aggregates, extent);
    const found = chartedSpan(timeframe, extent);
    if (fixedMs === undefined && picks < picksMax && bucketsIn(found, bucketMs) > pointsMax) continue;
    const filled = place?.filled ?? found;
    const silent = fill ? await silentGroups(store, { filter, grouping }, signal) : [];
    const rows = fill
      ? filledRows({ aggregates, silent, span: filled, bucketMs })
      : aggregates.map((aggregate) => ({ ...aggregate, aggregate }));
    const { page, last } = pageOfRows(rows, { after: place?.after, pageSize });
    const covered = page.flatMap(({ aggregate }) => (aggregate ? [aggregate] : []));
    return {
      bucket: { seconds: BigInt(Math.floor(bucketMs / 1000)), nanos: (bucketMs % 1000) * 1_000_000 },
      buckets: page.map((row) =>
        row.aggregate
          ? bucketMessage(row.aggregate, bucketMs)
          : emptyBucketMessage(row, { startMs: row.bucketMs, sizeMs: bucketMs }),
      ),
      nextPageToken: last ? pageTokens.seal({ after: last, sizeMs: bucketMs, filled }, query) : "",
      coverage: coverageMessage({ ...coverage, ...readingsOf(covered) }),
    };
  }
}

/** What makes two requests pages of one query: all but the page itself. */
function queryOf(request: ListBucketsRequest): unknown {
  const { deviceIds, sensors, since, to, resolution, fill } = request;
  const time = (bound: { seconds: bigint; nanos: number } | undefined) =>
    bound === undefined ? null : [`${bound.seconds}`, bound.nanos];
  return [
    [...new Set(deviceIds)].sort(),
    [...new Set(sensors)].sort(),
    time(since),
    time(to),
    groupingOf(request.groupBy),
    resolution.case === "bucket" ? time(resolution.value) : (resolution.value ?? null),
    fill,
  ];
}

/** Where the readings of a timeframe lie; empty if there are none. */
async function findExtent(
  store: ReadingStore,
  request: { readonly filter: SeriesFilter; readonly timeframe: Timeframe },
  signal: AbortSignal,
): Promise<Span> {
  const { partials } = await readTimeframe(store, { ...request, mergeDevices: true }, signal);
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
