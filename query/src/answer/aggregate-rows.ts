import type { MessageInitShape } from "@bufbuild/protobuf";
import { protoTimestamp } from "@devicemesh/proto";
import {
  type AggregateRowSchema,
  type BucketSchema,
  GroupBy,
} from "@devicemesh/proto/es/devicemesh/v1/aggregate_pb.ts";
import type { Aggregate, Grouping } from "../plan/merge.ts";
import { allTime } from "../plan/planner.ts";

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
export function aggregateRow(aggregate: Aggregate): MessageInitShape<typeof AggregateRowSchema> {
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
  };
}

/** An aggregate of a bucket in the contract's form. */
export function bucketMessage(aggregate: Aggregate, sizeMs: number): MessageInitShape<typeof BucketSchema> {
  return { ...bucketBounds(aggregate.bucketMs, sizeMs), row: aggregateRow(aggregate) };
}

/** A bucket of a group without readings. */
export function emptyBucketMessage(
  group: { readonly deviceId: string; readonly sensor: string; readonly unit: string },
  bucket: { readonly startMs: number; readonly sizeMs: number },
): MessageInitShape<typeof BucketSchema> {
  const { deviceId, sensor, unit } = group;
  return { ...bucketBounds(bucket.startMs, bucket.sizeMs), row: { deviceId, sensor, unit } };
}

function bucketBounds(startMs: number, sizeMs: number) {
  // A bucket may be longer than what a Timestamp can tell of the future.
  const endMs = Math.min(startMs + sizeMs, allTime.toMs - 1);
  return { start: protoTimestamp(startMs), end: protoTimestamp(endMs) };
}
