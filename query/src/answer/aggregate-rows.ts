import type { MessageInitShape } from "@bufbuild/protobuf";
import { protoTimestamp } from "@devicemesh/proto";
import {
  type AggregateRowSchema,
  type BucketSchema,
  GroupBy,
} from "@devicemesh/proto/es/devicemesh/v1/aggregate_pb.ts";
import { type BucketGrid, bucketEnd } from "../calendar/bucket-grid.ts";
import type { Aggregate, Grouping } from "../plan/merge.ts";
import type { ReadingPartial } from "../plan/partial.ts";
import { allTime } from "../plan/planner.ts";
import type { QuantileValue } from "./quantiles.ts";

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

/** Converts an aggregate to the contract's form. */
export function aggregateRow(
  aggregate: Aggregate,
  quantiles: readonly QuantileValue[] = [],
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
  };
}

/** Converts an aggregate of a bucket to the contract's form. */
export function bucketMessage(
  aggregate: Aggregate,
  buckets: BucketGrid,
  quantiles: readonly QuantileValue[] = [],
): MessageInitShape<typeof BucketSchema> {
  return { ...bucketBounds(aggregate.bucketMs, buckets), row: aggregateRow(aggregate, quantiles) };
}

/** The fill values of an empty bucket. */
export type FilledFigures = Pick<ReadingPartial, "minimum" | "maximum"> & Pick<Aggregate, "average">;

/** Returns a bucket of a group without readings; it has only fill values, if any. */
export function emptyBucketMessage(
  group: { readonly deviceId: string; readonly sensor: string; readonly unit: string },
  {
    startMs,
    buckets,
    figures,
  }: {
    readonly startMs: number;
    readonly buckets: BucketGrid;
    readonly figures?: FilledFigures | undefined;
  },
): MessageInitShape<typeof BucketSchema> {
  const { deviceId, sensor, unit } = group;
  return { ...bucketBounds(startMs, buckets), row: { deviceId, sensor, unit, ...figures } };
}

/** The earliest time of a Timestamp: 0001-01-01T00:00:00Z. */
const earliestMs = -62_135_596_800_000;

function bucketBounds(startMs: number, buckets: BucketGrid) {
  // A bucket may be longer than the range of a Timestamp.
  const endMs = Math.min(bucketEnd(buckets, startMs), allTime.toMs - 1);
  return { start: protoTimestamp(Math.max(startMs, earliestMs)), end: protoTimestamp(endMs) };
}
