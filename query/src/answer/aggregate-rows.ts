import type { MessageInitShape } from "@bufbuild/protobuf";
import { resourceExhausted } from "@devicemesh/kit/rpc/rpc-error";
import { millisecondsFloor, protoTimestamp } from "@devicemesh/proto";
import type { CoverageSchema, TimeSpanSchema } from "@devicemesh/proto/es/devicemesh/v1/aggregate_pb.ts";
import {
  type AggregateRowSchema,
  type BucketSchema,
  GroupBy,
} from "@devicemesh/proto/es/devicemesh/v1/aggregate_pb.ts";
import type { TimeWeighting } from "@devicemesh/proto/es/devicemesh/v1/query_service_pb.ts";
import { type BucketGrid, bucketEnd } from "../calendar/bucket-grid.ts";
import type { Aggregate, Grouping, ReadingPartial } from "../plan/merge.ts";
import { allTime } from "../plan/planner.ts";
import { compareSeries } from "../plan/series-order.ts";
import type { Span } from "../plan/spans.ts";
import type { QuantileValue } from "../quantiles/quantiles.ts";
import type { Outside } from "./automatic-timeframe.ts";
import type { TimeWeighted } from "./held-values.ts";
import type { Timeframe } from "./read-timeframe.ts";

/** Returns the grouping of a request; GROUP_BY_SERIES by default. */
export function groupingOf(groupBy: GroupBy): Grouping {
  switch (groupBy) {
    case GroupBy.SENSOR:
      return "sensor";
    case GroupBy.DEVICE:
      return "device";
    case GroupBy.ALL:
      return "all";
    default:
      return "series";
  }
}

/** Returns the longest time for which a value holds, in ms; undefined if no time-weighted average is requested. */
export function maxHoldOf(weighting: TimeWeighting | undefined): number | undefined {
  return weighting?.maxHold && millisecondsFloor(weighting.maxHold);
}

/** The figures of a row that are computed from raw readings, if they are requested and known. */
export type RawFigures = {
  readonly quantiles?: readonly QuantileValue[] | undefined;
  readonly timeWeighted?: TimeWeighted | undefined;
};

/** Converts an aggregate to the contract's form. */
export function aggregateRow(
  aggregate: Aggregate,
  { quantiles = [], timeWeighted }: RawFigures = {},
): MessageInitShape<typeof AggregateRowSchema> {
  const { deviceId, sensor, unit, partial, average, standardDeviation } = aggregate;
  return {
    deviceId,
    sensor,
    unit,
    count: BigInt(partial.count),
    average,
    minimum: partial.minimum,
    maximum: partial.maximum,
    sum: partial.sum,
    standardDeviation,
    first: { timestamp: protoTimestamp(partial.firstAtMs), value: partial.firstValue },
    last: { timestamp: protoTimestamp(partial.lastAtMs), value: partial.lastValue },
    minimumAt: protoTimestamp(partial.minimumAtMs),
    maximumAt: protoTimestamp(partial.maximumAtMs),
    quantiles: [...quantiles],
    ...timeWeightedFields(timeWeighted),
  };
}

function timeWeightedFields(timeWeighted: TimeWeighted | undefined) {
  if (!timeWeighted) return {};
  const { average, coveredMs } = timeWeighted;
  return { timeWeightedAverage: { value: average, coveredSeconds: coveredMs / 1000 } };
}

/** Converts an aggregate of a bucket to the contract's form. */
export function bucketMessage(
  aggregate: Aggregate,
  buckets: BucketGrid,
  figures: RawFigures = {},
): MessageInitShape<typeof BucketSchema> {
  return { ...bucketBounds(aggregate.bucketMs, buckets), row: aggregateRow(aggregate, figures) };
}

/** The fill values of an empty bucket. */
export type FilledFigures = Pick<ReadingPartial, "minimum" | "maximum"> & Pick<Aggregate, "average">;

/** Returns a bucket of a group without readings; it has only fill values and the average of what holds, if any. */
export function emptyBucketMessage(
  group: { readonly deviceId: string; readonly sensor: string; readonly unit: string },
  {
    startMs,
    buckets,
    figures,
    timeWeighted,
  }: {
    readonly startMs: number;
    readonly buckets: BucketGrid;
    readonly figures?: FilledFigures | undefined;
    readonly timeWeighted?: TimeWeighted | undefined;
  },
): MessageInitShape<typeof BucketSchema> {
  const { deviceId, sensor, unit } = group;
  return {
    ...bucketBounds(startMs, buckets),
    row: { deviceId, sensor, unit, ...figures, ...timeWeightedFields(timeWeighted) },
  };
}

/** The earliest time of a Timestamp: 0001-01-01T00:00:00Z. */
const earliestMs = -62_135_596_800_000;

function bucketBounds(startMs: number, buckets: BucketGrid) {
  // A bucket may be longer than the range of a Timestamp.
  const endMs = Math.min(bucketEnd(buckets, startMs), allTime.toMs - 1);
  return { start: protoTimestamp(Math.max(startMs, earliestMs)), end: protoTimestamp(endMs) };
}

/** The coverage of an answer; see Coverage in the contract. Times in ms since 1970. */
export type AnswerCoverage = {
  readonly completeThroughMs: number;
  /** The frontier of the finest level; 0 if nothing is folded. */
  readonly frontierMs: number;
  readonly fromWindows: number;
  readonly fromRaw: number;
  readonly notCovered: readonly Span[];
};

/** Converts a coverage to the contract's form. A span that begins or ends with all time has no bound there. */
export function coverageMessage(coverage: AnswerCoverage): MessageInitShape<typeof CoverageSchema> {
  const { completeThroughMs, frontierMs, fromWindows, fromRaw, notCovered } = coverage;
  return {
    completeThrough: protoTimestamp(completeThroughMs),
    ...(frontierMs > 0 && { frontier: protoTimestamp(frontierMs) }),
    fromWindows: BigInt(fromWindows),
    fromRaw: BigInt(fromRaw),
    notCovered: notCovered.map(spanMessage),
  };
}

/** Converts a span to the contract's form; without a bound where it begins or ends with all time. */
export function spanMessage({ sinceMs, toMs }: Span): MessageInitShape<typeof TimeSpanSchema> {
  return {
    ...(sinceMs > allTime.sinceMs && { since: protoTimestamp(sinceMs) }),
    ...(toMs < allTime.toMs && { to: protoTimestamp(toMs) }),
  };
}

/**
 * Maximum number of rows of one page. With the longest device ids a row has about 800 bytes of JSON, so an answer stays
 * below 3 MiB, which clients accept by default (grpcurl, Go and Python: 4 MiB).
 */
export const pageRowsMax = 2500;

/** The row before the start of a page, by group and bucket. */
export type RowPlace = { readonly deviceId: string; readonly sensor: string; readonly bucketMs: number };

/**
 * The start of a page of ListBuckets, with the decisions of the first page: the size of the buckets, unless they are
 * calendar buckets, their span, and the timeframe.
 */
export type BucketsPlace = {
  readonly after: RowPlace;
  readonly sizeMs?: number | undefined;
  readonly filled: Span;
  readonly timeframe: Timeframe;
  readonly outside: readonly Outside[];
};

/** A page of ordered rows, and the position of its last row if there are more. */
export function pageOfRows<Row extends RowPlace>(
  rows: readonly Row[],
  { after, pageSize }: { readonly after: RowPlace | undefined; readonly pageSize: number },
): { readonly page: readonly Row[]; readonly last: RowPlace | undefined } {
  const start = after === undefined ? 0 : firstAfter(rows, after);
  const size = pageSize || pageRowsMax;
  const page = rows.slice(start, start + size);
  const last = page.at(-1);
  if (last === undefined || start + size >= rows.length) return { page, last: undefined };
  const { deviceId, sensor, bucketMs } = last;
  return { page, last: { deviceId, sensor, bucketMs } };
}

/** Counts the readings of a page's rows, from windows and from raw readings. */
export function readingsOf(rows: readonly Pick<Aggregate, "partial" | "fromRaw">[]): {
  readonly fromWindows: number;
  readonly fromRaw: number;
} {
  const count = rows.reduce((sum, { partial }) => sum + partial.count, 0);
  const fromRaw = rows.reduce((sum, row) => sum + row.fromRaw, 0);
  return { fromWindows: count - fromRaw, fromRaw };
}

function firstAfter(rows: readonly RowPlace[], place: RowPlace): number {
  const found = rows.findIndex((row) => compareRows(row, place) > 0);
  return found < 0 ? rows.length : found;
}

function compareRows(a: RowPlace, b: RowPlace): number {
  return compareSeries(a, b) || a.bucketMs - b.bucketMs;
}

/** Maximum number of rows of one answer, which bounds its memory and its message. */
export const answerRowsMax = 100_000;

/** Maximum number of buckets of one series in an answer. */
export const seriesBucketsMax = 10_000;

/** Maximum number of sensors with one unit of each device in an answer with devices as rows. */
const deviceSensorsMax = 10;

/**
 * More partials than this would give too many rows, or need too much memory: a device has one for each of its sensors.
 */
export function partialsMaxOf(grouping: Grouping): number {
  return grouping === "device" ? answerRowsMax * deviceSensorsMax : answerRowsMax;
}

/** @throws RpcError RESOURCE_EXHAUSTED if an answer has more than `answerRowsMax` rows. */
export function checkRows(rows: number, fix: string): void {
  if (rows <= answerRowsMax) return;
  throw resourceExhausted({
    subject: "rows of the answer",
    description: `there are at least ${rows}, at most ${answerRowsMax} are answered: ${fix}`,
  });
}
