import { Code } from "@connectrpc/connect";
import { protoTimestamp } from "@devicemesh/proto";
import { GroupBy } from "@devicemesh/proto/es/devicemesh/v1/aggregate_pb.ts";
import { expect, it } from "vitest";
import { failureOf, startTestQuery, temperature } from "../../testing/query-fixture.ts";
import type { ReadingStore } from "../store/reading-store.ts";

const dayMs = 86_400_000;

const valuesOf = (row: { quantiles: { quantile: number; value: number }[] } | undefined) =>
  row?.quantiles.map(({ quantile, value }) => [quantile, value]);

it("returns quantiles of rows and buckets, over folded windows too", async () => {
  await using running = await startTestQuery();
  const { client, memory } = running;
  memory.append(
    Array.from({ length: 101 }, (_, place) => temperature("a", -place * 1000, (place * 37) % 101)),
  );
  memory.append([temperature("b", -500_000, 7)]);
  memory.fold();
  const quantiles = [0.5, 0.95, 0];
  const { rows } = await client.getAggregates({ quantiles });
  expect(rows.map(valuesOf)).toEqual([
    [
      [0.5, 50],
      [0.95, 95],
      [0, 0],
    ],
    [
      [0.5, 7],
      [0.95, 7],
      [0, 7],
    ],
  ]);
  const all = await client.getAggregates({ quantiles: [1], groupBy: GroupBy.ALL });
  expect(all.rows.map(valuesOf)).toEqual([[[1, 100]]]);
  const { buckets } = await client.listBuckets({
    deviceIds: ["b"],
    quantiles: [0.5],
    resolution: { case: "bucket", value: { seconds: 10n, nanos: 0 } },
  });
  expect(buckets.map(({ row }) => valuesOf(row))).toEqual([[[0.5, 7]]]);
  expect((await client.getAggregates({})).rows.map(({ quantiles }) => quantiles)).toEqual([[], []]);
});

it("rejects shares beyond 0 to 1", async () => {
  await using running = await startTestQuery();
  for (const quantiles of [[1.1], [-0.1], [Number.NaN], Array.from({ length: 9 }, () => 0.5)]) {
    expect((await failureOf(running.client.getAggregates({ quantiles }))).code).toBe(Code.InvalidArgument);
  }
});

/** Wraps a store so that each partial states more readings than quantiles are exact for. */
function withManyReadings(store: ReadingStore): ReadingStore {
  return {
    ...store,
    async readPartials(request, signal) {
      const read = await store.readPartials(request, signal);
      return { ...read, partials: read.partials.map((partial) => ({ ...partial, count: 1_000_001 })) };
    },
  };
}

it("returns quantiles of more readings from sketches, with their error", async () => {
  await using running = await startTestQuery({ wrap: withManyReadings });
  const { client, memory } = running;
  memory.append(Array.from({ length: 101 }, (_, place) => temperature("a", -place * 1000, place)));
  const { rows } = await client.getAggregates({ quantiles: [0, 0.5, 1] });
  expect(rows[0]?.quantiles.map(({ relativeError }) => relativeError)).toEqual([0, 1 / 512, 0]);
  expect(rows[0]?.quantiles[1]?.value).toBeCloseTo(50, 0);
  const { buckets } = await client.listBuckets({
    quantiles: [0.5],
    resolution: { case: "bucket", value: { seconds: 60n, nanos: 0 } },
  });
  expect(buckets.map(({ row }) => row?.quantiles.length)).toEqual([1, 1, 1]);
});

/** Wraps a store so that raw readings from before a day ago have expired. */
function withExpired(store: ReadingStore): ReadingStore {
  return {
    ...store,
    readHorizon: async (signal) => ({
      ...(await store.readHorizon(signal)),
      rawKeptSinceMs: temperature("a", -dayMs).timestampMs,
    }),
  };
}

const expired = [temperature("a", -5 * dayMs), temperature("a"), temperature("b")];

it("returns no quantiles for rows with expired readings if no window with a sketch covers them whole", async () => {
  await using running = await startTestQuery({ wrap: withExpired });
  running.memory.append(expired);
  // The start of a window of 10 s, which has no sketch.
  const since = protoTimestamp(temperature("a", -5 * dayMs - 2000).timestampMs);
  const { rows } = await running.client.getAggregates({ quantiles: [0.5], since });
  expect(rows.map(valuesOf)).toEqual([[], [[0.5, 21.5]]]);
  const all = await running.client.getAggregates({ quantiles: [0.5] });
  expect(all.rows.map(valuesOf)).toEqual([[[0.5, 21.5]], [[0.5, 21.5]]]);
});

it("includes the newest readings, which a sealed horizon may leave out", async () => {
  await using running = await startTestQuery();
  const { client, memory } = running;
  memory.append([temperature("a", 0, 7)]);
  const { sealHorizon } = memory.store;
  memory.store.sealHorizon = async (signal) => ({ ...(await sealHorizon(signal)), completeThroughMs: 0 });
  expect((await client.getAggregates({ quantiles: [1] })).rows.map(valuesOf)).toEqual([[[1, 7]]]);
});
