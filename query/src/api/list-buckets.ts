import type { MessageInitShape } from "@bufbuild/protobuf";
import { type Level, protoTimestamp } from "@devicemesh/proto";
import type {
  ListBucketsRequest,
  ListBucketsResponseSchema,
} from "@devicemesh/proto/es/devicemesh/v1/query_service_pb.ts";
import {
  type AnswerCoverage,
  type BucketsPlace,
  bucketMessage,
  coverageMessage,
  emptyBucketMessage,
  groupingOf,
  maxHoldOf,
  pageOfRows,
  readingsOf,
  spanMessage,
} from "../answer/aggregate-rows.ts";
import { chooseTimeframe, type Outside } from "../answer/automatic-timeframe.ts";
import { type BucketSizing, gridOf, isFew, sizingOf } from "../answer/bucket-sizing.ts";
import { extentOfAggregates, findExtent, isEmpty, nowhere } from "../answer/extent.ts";
import { filledRows, fillOf, silentGroups } from "../answer/filled-buckets.ts";
import { readBuckets } from "../answer/read-buckets.ts";
import { readTimeWeighted } from "../answer/read-time-weighted.ts";
import { type Timeframe, timeframeOf } from "../answer/read-timeframe.ts";
import { countBuckets, isEndless, withinBuckets } from "../calendar/bucket-grid.ts";
import type { UnitOf } from "../plan/merge.ts";
import { joinedSpans, type Span, without } from "../plan/spans.ts";
import { readQuantiles } from "../quantiles/read-quantiles.ts";
import type { ReadSlots } from "../store/read-slots.ts";
import type { ReadingStore, SeriesFilter } from "../store/reading-store.ts";
import type { PageTokens } from "./page-token.ts";

/** Number of times that a size is chosen again because new readings have extended the extent. */
const picksMax = 3;

/** Answers ListBuckets from a store; `clock` returns ms since 1970. */
export type BucketsDependencies = {
  readonly store: ReadingStore;
  readonly clock: () => number;
  /** Admits reads of raw readings for figures that need them. */
  readonly rawReads: ReadSlots;
  /** Maximum number of raw readings of a page from which quantiles are exact. */
  readonly exactMax?: number | undefined;
  readonly pageTokens: PageTokens<BucketsPlace>;
  readonly unitOf: UnitOf;
};

/**
 * Answers ListBuckets, one page at a time. The first page decides the size of the buckets, the timeframe if the server
 * chooses it (`chooseTimeframe`) and, if empty buckets are filled, their span: that of the timeframe or, if a bound is
 * unset, from the first or to the last reading over all groups. Then every group with readings in the timeframe, and
 * every known group of the requested devices, has every bucket of the span. Each page is exact for the readings that
 * had arrived when it was read.
 * @throws RpcError INVALID_ARGUMENT on `bucket`, `origin`, `calendar`, `page_token` and if a group mixes units,
 *   RESOURCE_EXHAUSTED if there are too many buckets.
 */
export async function listBuckets(
  { store, clock, rawReads, exactMax, pageTokens, unitOf }: BucketsDependencies,
  request: ListBucketsRequest,
  signal: AbortSignal,
): Promise<MessageInitShape<typeof ListBucketsResponseSchema>> {
  const { deviceIds, sensors, resolution } = request;
  const filter = { deviceIds, sensors };
  const grouping = groupingOf(request.groupBy);
  const fill = fillOf(request);
  const maxHoldMs = maxHoldOf(request.timeWeighting);
  const query = queryOf(request);
  const place = request.pageToken === "" ? undefined : pageTokens.open(request.pageToken, query);
  const sizing = sizingOf(request, (store.levels[0] as Level).windowMs);
  const bounds = await readBounds({ store, clock, filter, sizing, request, place }, signal);
  const { timeframe, outside } = bounds;

  let { extent } = bounds;
  for (let picks = 1; ; picks++) {
    const charted = chartedSpan(timeframe, extent);
    const listed = fill === "none" ? extent : (place?.filled ?? charted);
    const picked = place ? place.sizeMs : undefined;
    const buckets =
      sizing.kind === "points" && picked === undefined
        ? gridOf(sizing, charted)
        : gridOf(sizing, listed, picked);
    const read = await readBuckets(
      store,
      { filter, grouping, timeframe: withinBuckets(buckets, timeframe, listed), extent, buckets, unitOf },
      signal,
    );
    const { aggregates } = read;
    extent = extentOfAggregates(aggregates, extent);
    const found = chartedSpan(timeframe, extent);
    const isLonger =
      sizing.kind === "points" && picked === undefined && countBuckets(buckets, found) > sizing.pointsMax;
    if (isLonger && picks < picksMax) continue;
    const filled = place?.filled ?? found;
    const silent = fill === "none" ? [] : await silentGroups(store, { filter, grouping, unitOf }, signal);
    const rows =
      fill === "none"
        ? aggregates.map((aggregate) => ({ ...aggregate, aggregate, figures: undefined }))
        : filledRows({ aggregates, silent, span: filled, buckets, fill });
    const { page, last } = pageOfRows(rows, { after: place?.after, pageSize: request.pageSize });
    const covered = page.flatMap(({ aggregate }) => (aggregate ? [aggregate] : []));
    const quantiles = await readQuantiles(
      { store, reads: rawReads, exactMax },
      { filter, grouping, timeframe, buckets, rows: covered, quantiles: request.quantiles },
      signal,
    );
    const timeWeighted =
      maxHoldMs !== undefined
        ? await readTimeWeighted<(typeof page)[number]>(
            { store, unitOf, reads: rawReads },
            { filter, grouping, timeframe, buckets, aggregates, rows: page, maxHoldMs },
            signal,
          )
        : undefined;
    const sizeMs = sizing.kind === "calendar" ? undefined : buckets[0]?.sizeMs;
    const before = isEndless(buckets) ? undefined : bounds.coverage;
    const coverage = coverageOf(read.coverage, before, withinBuckets(buckets, timeframe, listed));
    return {
      ...(sizeMs !== undefined && { bucket: durationOf(sizeMs) }),
      ...(resolution.case === "calendar" && { calendar: resolution.value }),
      timeframe: spanMessage(timeframe),
      outside: outside.map(({ count, firstMs, lastMs }) => ({
        count: BigInt(count),
        first: protoTimestamp(firstMs),
        last: protoTimestamp(lastMs),
      })),
      buckets: page.map((row) =>
        row.aggregate
          ? bucketMessage(row.aggregate, buckets, {
              quantiles: quantiles.get(row.aggregate),
              timeWeighted: timeWeighted?.get(row),
            })
          : emptyBucketMessage(row, {
              startMs: row.bucketMs,
              buckets,
              figures: row.figures,
              timeWeighted: timeWeighted?.get(row),
            }),
      ),
      nextPageToken: last ? pageTokens.seal({ after: last, sizeMs, filled, timeframe, outside }, query) : "",
      coverage: coverageMessage({ ...coverage, ...readingsOf(covered) }),
    };
  }
}

/** The facts that are known before the buckets are read. */
type Bounds = {
  readonly timeframe: Timeframe;
  readonly outside: readonly Outside[];
  /** The extent of the readings, or the timeframe if that suffices. */
  readonly extent: Span;
  /** Undefined if nothing was read. */
  readonly coverage: AnswerCoverage | undefined;
};

/**
 * Finds the extent of the readings, if the answer depends on it, and chooses the timeframe if the request leaves it
 * open.
 */
async function readBounds(
  {
    store,
    clock,
    filter,
    sizing,
    request,
    place,
  }: Pick<BucketsDependencies, "store" | "clock"> & {
    readonly filter: SeriesFilter;
    readonly sizing: BucketSizing;
    readonly request: ListBucketsRequest;
    readonly place: BucketsPlace | undefined;
  },
  signal: AbortSignal,
): Promise<Bounds> {
  const timeframe = place?.timeframe ?? timeframeOf(request);
  const { outside = [] } = place ?? {};
  if (timeframe.hasSince && timeframe.hasTo && isFew(sizing, timeframe)) {
    return { timeframe, outside, extent: timeframe, coverage: undefined };
  }
  if (sizing.kind === "points" && place === undefined) {
    const chosen = await chooseTimeframe({ store, nowMs: clock() }, { filter, timeframe }, signal);
    return { ...chosen, coverage: chosen.extent.coverage };
  }
  const extent = await findExtent(store, { filter, timeframe }, signal);
  return { timeframe, outside, extent, coverage: extent.coverage };
}

/** The part of a request that identifies its query: everything except the page itself. */
function queryOf(request: ListBucketsRequest): unknown {
  const { deviceIds, sensors, since, to, origin, resolution } = request;
  const time = (bound: { seconds: bigint; nanos: number } | undefined) =>
    bound === undefined ? null : [`${bound.seconds}`, bound.nanos];
  const size = () => {
    switch (resolution.case) {
      case "bucket":
        return time(resolution.value);
      case "calendar":
        return [resolution.value.unit, resolution.value.timeZone];
      default:
        return resolution.value ?? null;
    }
  };
  return [
    [...new Set(deviceIds)].sort(),
    [...new Set(sensors)].sort(),
    time(since),
    time(to),
    groupingOf(request.groupBy),
    size(),
    time(origin),
    fillOf(request),
    request.quantiles,
    maxHoldOf(request.timeWeighting) ?? null,
  ];
}

/**
 * Returns the timeframe, with bounds from the readings where it has none. Empty if it has no bounds and there are no
 * readings.
 */
function chartedSpan(timeframe: Timeframe, extent: Span): Span {
  if (isEmpty(extent) && !(timeframe.hasSince && timeframe.hasTo)) return nowhere;
  return {
    sinceMs: timeframe.hasSince ? timeframe.sinceMs : extent.sinceMs,
    toMs: timeframe.hasTo ? timeframe.toMs : extent.toMs,
  };
}

/**
 * Returns the coverage of an answer that was read from `span` only, because there was nothing else: later arrivals
 * elsewhere are not counted.
 */
function coverageOf(read: AnswerCoverage, before: AnswerCoverage | undefined, span: Span): AnswerCoverage {
  if (!before) return read;
  return {
    ...read,
    completeThroughMs: Math.min(read.completeThroughMs, before.completeThroughMs),
    frontierMs: Math.min(read.frontierMs, before.frontierMs),
    notCovered: joinedSpans([...read.notCovered, ...without(before.notCovered, [span])]),
  };
}

function durationOf(ms: number): { seconds: bigint; nanos: number } {
  return { seconds: BigInt(Math.floor(ms / 1000)), nanos: (ms % 1000) * 1_000_000 };
}
