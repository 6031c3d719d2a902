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

/** The grouping of a request; GROUP_BY_SERIES where none is given. */
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

/** An aggregate in the contract's form. */
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

/** An aggregate of a bucket in the contract's form. */
export function bucketMessage(
  aggregate: Aggregate,
  buckets: BucketGrid,
  quantiles: readonly QuantileValue[] = [],
): MessageInitShape<typeof BucketSchema> {
  return { ...bucketBounds(aggregate.bucketMs, buckets), row: aggregateRow(aggregate, quantiles) };
}

/** What an empty bucket is filled with. */
export type FilledFigures = Pick<ReadingPartial, "minimum" | "maximum"> & Pick<Aggregate, "average">;

/** A bucket of a group without readings; its figures are those it is filled with, if any. */
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

/** The earliest moment that a Timestamp can state: 0001-01-01T00:00:00Z. */
const earliestMs = -62_135_596_800_000;

function bucketBounds(startMs: number, buckets: BucketGrid) {
  // A bucket may be longer than what a Timestamp can state.
  const endMs = Math.min(bucketEnd(buckets, startMs), allTime.toMs - 1);
  return { start: protoTimestamp(Math.max(startMs, earliestMs)), end: protoTimestamp(endMs) };
}
