import { create } from "@bufbuild/protobuf";
import { waitUntil } from "@devicemesh/kit/testing/test-helpers";
import { protoTimestamp } from "@devicemesh/proto";
import {
  type GetWindowJobStatusResponse,
  GetWindowJobStatusResponseSchema,
} from "@devicemesh/proto/es/devicemesh/v1/aggregator_service_pb.ts";
import { describe, expect, it } from "vitest";
import { busyBatches, observeWindowJob, rowsPerSecond, watchBatches } from "./window-job-batches.ts";

function statusOf(batch: number): GetWindowJobStatusResponse {
  return create(GetWindowJobStatusResponseSchema, {
    windowJob: {
      batch: BigInt(batch),
      processedRowsPerSecond: 40_000,
      batchDuration: { seconds: 2n, nanos: 500_000_000 },
      lag: 7n,
      rowsDropped: 1n,
    },
    frontiers: [protoTimestamp(20_000), protoTimestamp(0)],
  });
}

describe("observeWindowJob", () => {
  it("computes a batch's rows from their rate and its time", async () => {
    expect(await observeWindowJob({ getWindowJobStatus: async () => statusOf(3) })).toEqual({
      batch: { batch: 3, rows: 100_000, batchMs: 2500 },
      lag: 7,
      rowsDropped: 1,
      frontierMs: 20_000,
    });
  });

  it("has no batch and no frontier before the job has begun", async () => {
    const nothing = create(GetWindowJobStatusResponseSchema, {});
    expect(await observeWindowJob({ getWindowJobStatus: async () => nothing })).toEqual({
      batch: undefined,
      lag: 0,
      rowsDropped: 0,
      frontierMs: 0,
    });
  });
});

describe("watchBatches", () => {
  it("keeps each batch after the first once, and continues when the aggregator does not answer", async () => {
    const reported = [4, 5, undefined, 5, 6];
    const watch = watchBatches(
      {
        async getWindowJobStatus() {
          const batch = reported.length > 1 ? reported.shift() : reported[0];
          if (batch === undefined) throw new Error("unavailable");
          return statusOf(batch);
        },
      },
      { batch: 4, rows: 1, batchMs: 1 },
    );
    await waitUntil(() => watch.last?.batch?.batch === 6, { timeoutMs: 10_000 });
    expect((await watch.stop()).map(({ batch }) => batch)).toEqual([5, 6]);
  });
});

describe("several batches", () => {
  const batch = (rows: number, batchMs: number) => ({ batch: 0, rows, batchMs });

  it("count as busy with at least a tenth of the rows of the largest", () => {
    expect(busyBatches([batch(1000, 1), batch(100, 1), batch(99, 1), batch(0, 1)])).toHaveLength(2);
    expect(busyBatches([batch(0, 900)])).toEqual([]);
  });

  it("have a rate of all their rows divided by all their time", () => {
    expect(rowsPerSecond([batch(1000, 1000), batch(200, 500)])).toBe(800);
    expect(() => rowsPerSecond([])).toThrow(RangeError);
  });
});
