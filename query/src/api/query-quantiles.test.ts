import { Code } from "@connectrpc/connect";
import { GroupBy } from "@devicemesh/proto/es/devicemesh/v1/aggregate_pb.ts";
import { expect, it } from "vitest";
import { failureOf, startTestQuery, temperature } from "../../testing/query-fixture.ts";

const valuesOf = (row: { quantiles: { quantile: number; value: number }[] } | undefined) =>
  row?.quantiles.map(({ quantile, value }) => [quantile, value]);

it("gives quantiles of rows and buckets, over folded windows too", async () => {
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

it("rejects shares beyond 0 to 1, and rows of more readings than it computes them from", async () => {
  await using running = await startTestQuery();
  const { client, memory } = running;
  for (const quantiles of [[1.1], [-0.1], [Number.NaN], Array.from({ length: 9 }, () => 0.5)]) {
    expect((await failureOf(client.getAggregates({ quantiles }))).code).toBe(Code.InvalidArgument);
  }
  memory.append([temperature("a")]);
  const { readPartials } = memory.store;
  memory.store.readPartials = async (request, signal) => {
    const read = await readPartials(request, signal);
    return { ...read, partials: read.partials.map((partial) => ({ ...partial, count: 1_000_001 })) };
  };
  const failure = await failureOf(client.getAggregates({ quantiles: [0.5] }));
  expect([failure.code, failure.rawMessage]).toEqual([
    Code.ResourceExhausted,
    expect.stringContaining("1000000"),
  ]);
});

it("returns none for rows with readings older than the retention of raw readings", async () => {
  await using running = await startTestQuery();
  const { client, memory } = running;
  const dayMs = 86_400_000;
  memory.append([temperature("a", -5 * dayMs), temperature("a"), temperature("b")]);
  const { readHorizon } = memory.store;
  memory.store.readHorizon = async (signal) => ({
    ...(await readHorizon(signal)),
    rawKeptSinceMs: temperature("a", -dayMs).timestampMs,
  });
  const { rows } = await client.getAggregates({ quantiles: [0.5] });
  expect(rows.map(valuesOf)).toEqual([[], [[0.5, 21.5]]]);
});

it("includes the newest readings, which a sealed horizon may leave out", async () => {
  await using running = await startTestQuery();
  const { client, memory } = running;
  memory.append([temperature("a", 0, 7)]);
  const { sealHorizon } = memory.store;
  memory.store.sealHorizon = async (signal) => ({ ...(await sealHorizon(signal)), completeThroughMs: 0 });
  expect((await client.getAggregates({ quantiles: [1] })).rows.map(valuesOf)).toEqual([[[1, 7]]]);
});
