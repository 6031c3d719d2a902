import { createClient, createRouterTransport } from "@connectrpc/connect";
import { millisecondsFloor } from "@devicemesh/proto";
import { GroupBy } from "@devicemesh/proto/es/devicemesh/v1/aggregate_pb.ts";
import {
  QueryService,
  type WatchAggregatesResponse,
} from "@devicemesh/proto/es/devicemesh/v1/query_service_pb.ts";
import { describe, expect, it } from "vitest";
import { queryRoutes } from "../../src/api/routes.ts";
import { type ReadingStoreHarness, reading, withStore } from "./reading-store-harness.ts";

const hourMs = 3_600_000;

/** The suite of live windows, which every store must pass under WatchAggregates. */
export function describeLiveWindows(open: () => Promise<ReadingStoreHarness>): void {
  describe("live windows", () => {
    for (const [clock, aheadMs] of [
      ["70 s", 70_000],
      ["20 h", 20 * hourMs],
    ] as const) {
      it(
        `show the current values of all devices although the clock of one is ${clock} ahead`,
        withStore(open, async (harness) => {
          await harness.publish([
            reading(harness, "right", -1000),
            reading(harness, "right", 0),
            reading(harness, "fast", aheadMs, { value: 30 }),
            reading(harness, "fast", aheadMs + 1000, { value: 31 }),
          ]);
          const before = await firstMessage(harness, { lastBuckets: 6 });
          expect(countsOf(before)).toEqual({ right: 2n });
          expect(before.ahead).toMatchObject([
            { deviceId: "fast", sensor: "temperature", count: 2n, maximum: 31, unit: "°C" },
          ]);
          expect(millisecondsFloor(before.ahead[0]!.last!.timestamp!)).toBe(harness.nowMs() + aheadMs + 1000);

          // Folded readings are found like raw ones.
          harness.advance(2 * hourMs);
          await harness.fold();
          await harness.publish([
            reading(harness, "right", 0),
            reading(harness, "fast", aheadMs, { value: 32 }),
          ]);
          const later = await firstMessage(harness, { lastBuckets: 6 });
          expect(countsOf(later)).toEqual({ right: 1n });
          expect(later.ahead).toMatchObject([{ deviceId: "fast", count: aheadMs > 2 * hourMs ? 3n : 1n }]);
        }),
      );
    }

    it(
      "put each reading either in a bucket or ahead, never in both, in every grouping",
      withStore(open, async (harness) => {
        const offsets = [-61_000, -60_000, -1, 0, 1, 9_999, 10_000, 10_001, 70_000, 20 * hourMs];
        await harness.publish(
          offsets.map((offset, place) => reading(harness, place % 2 ? "a" : "b", offset)),
        );
        const endMs = Math.floor(harness.nowMs() / 10_000) * 10_000 + 10_000;
        const timestamps = offsets.map((offset) => harness.nowMs() + offset);
        for (const groupBy of [GroupBy.SERIES, GroupBy.SENSOR, GroupBy.DEVICE, GroupBy.ALL]) {
          const { buckets, ahead } = await firstMessage(harness, { lastBuckets: 6, groupBy });
          expect([
            sumOf(buckets.map(({ row }) => row?.count ?? 0n)),
            sumOf(ahead.map(({ count }) => count)),
          ]).toEqual([
            timestamps.filter((ms) => ms >= endMs - 60_000 && ms < endMs).length,
            timestamps.filter((ms) => ms >= endMs).length,
          ]);
        }
      }),
    );
  });
}

async function firstMessage(
  harness: ReadingStoreHarness,
  request: { readonly lastBuckets: number; readonly groupBy?: GroupBy },
): Promise<WatchAggregatesResponse> {
  const routes = queryRoutes({ store: harness.store, clock: harness.nowMs });
  const caller = new AbortController();
  const client = createClient(QueryService, createRouterTransport(routes));
  try {
    for await (const message of client.watchAggregates(request, { signal: caller.signal })) return message;
  } finally {
    caller.abort();
  }
  throw new Error("the watch ended before its first message");
}

/** Returns the number of readings in the buckets of each device. */
function countsOf({ buckets }: WatchAggregatesResponse): Record<string, bigint> {
  const counts: Record<string, bigint> = {};
  for (const { row } of buckets) {
    if (row) counts[row.deviceId] = (counts[row.deviceId] ?? 0n) + row.count;
  }
  return counts;
}

function sumOf(counts: readonly bigint[]): number {
  return counts.reduce((sum, count) => sum + Number(count), 0);
}
