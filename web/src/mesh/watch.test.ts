import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { durationFromMs, timestampFromMs } from "@bufbuild/protobuf/wkt";
import { BucketSchema } from "@devicemesh/proto/es/devicemesh/v1/aggregate_pb.ts";
import { WatchAggregatesResponseSchema } from "@devicemesh/proto/es/devicemesh/v1/query_service_pb.ts";
import { describe, expect, it } from "vitest";
import { linesOfWatched, nothingWatched, withMessage } from "./watch.ts";

const bucketMs = 10_000;
const options = { bucketsMax: 4, seenMs: 7 };

function message(
  counts: Readonly<Record<number, number>>,
  fields: MessageInitShape<typeof WatchAggregatesResponseSchema> = {},
) {
  const buckets: MessageInitShape<typeof BucketSchema>[] = Object.entries(counts).map(([place, count]) => ({
    start: timestampFromMs(Number(place) * bucketMs),
    end: timestampFromMs((Number(place) + 1) * bucketMs),
    row: {
      deviceId: "a",
      sensor: "s",
      count: BigInt(count),
      ...(count > 0 && { average: count, minimum: 0, maximum: 9 }),
    },
  }));
  return create(WatchAggregatesResponseSchema, {
    ...(fields as object),
    bucket: durationFromMs(bucketMs),
    buckets: buckets.map((bucket) => create(BucketSchema, bucket)),
  });
}

const counts = (watched: ReturnType<typeof withMessage>) =>
  linesOfWatched(watched)[0]?.points.map(({ startMs, count }) => [startMs / bucketMs, count]);

describe("withMessage", () => {
  const first = withMessage(nothingWatched, message({ 1: 1, 2: 2, 3: 3 }, { snapshot: true }), options);

  it("replaces buckets, and leaves out those that are too old", () => {
    const next = withMessage(first, message({ 3: 4, 5: 5 }), options);
    expect(counts(next)).toEqual([
      [2, 2],
      [3, 4],
      [5, 5],
    ]);
    expect(next.newestMs).toBe(50_000);
    expect(counts(withMessage(next, message({ 5: 0 }), options))).toEqual([
      [2, 2],
      [3, 4],
    ]);
  });

  it("reports a change of an old bucket, not of the newest two, which still fill", () => {
    expect(withMessage(first, message({ 2: 3, 3: 9 }), options).late).toEqual([]);
    const { late } = withMessage(first, message({ 1: 5 }), options);
    expect(late).toMatchObject([{ startMs: 10_000, before: 1, after: 5, deviceId: "a" }]);
  });

  it("replaces everything by a snapshot, and reports no late changes", () => {
    const again = withMessage(first, message({ 1: 8, 2: 2 }, { snapshot: true }), options);
    expect(counts(again)).toEqual([
      [1, 8],
      [2, 2],
    ]);
    expect(again.late).toEqual([]);
  });

  it("keeps readings that are ahead until their count is 0", () => {
    const row = (count: bigint) => ({ ahead: [{ deviceId: "a", sensor: "s", count }] });
    const ahead = withMessage(first, message({}, row(2n)), options);
    expect(ahead.ahead.map(({ count }) => count)).toEqual([2n]);
    expect(withMessage(ahead, message({}, row(0n)), options).ahead).toEqual([]);
  });
});
