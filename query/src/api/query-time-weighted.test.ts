import { Code } from "@connectrpc/connect";
import { protoTimestamp } from "@devicemesh/proto";
import { GroupBy } from "@devicemesh/proto/es/devicemesh/v1/aggregate_pb.ts";
import { Fill } from "@devicemesh/proto/es/devicemesh/v1/query_service_pb.ts";
import { expect, it } from "vitest";
import { failureOf, startTestQuery, temperature, testNowMs } from "../../testing/query-fixture.ts";

type Row = { timeWeightedAverage?: { value: number; coveredSeconds: number } | undefined } | undefined;

const weightedOf = (row: Row) =>
  row?.timeWeightedAverage && [row.timeWeightedAverage.value, row.timeWeightedAverage.coveredSeconds];
const at = (offsetMs: number) => protoTimestamp(testNowMs + offsetMs);
const holdOf = (seconds: number) => ({ timeWeighting: { maxHold: { seconds: BigInt(seconds) } } });

it("weighs values by the time until the next reading of their series, at most max_hold, up to the bounds", async () => {
  await using running = await startTestQuery();
  const { client, memory } = running;
  memory.append([
    temperature("a", -90_000, 10),
    temperature("a", -50_000, 20),
    temperature("a", -40_000, 40),
    temperature("b", -45_000, 5),
  ]);
  memory.fold();
  const bounds = { since: at(-60_000), to: at(0) };
  const ask = async (request: object) => (await client.getAggregates(request)).rows.map(weightedOf);
  // a: 10 carried in for 10 s, 20 for 10 s, 40 for 40 s; b: 5 for 45 s.
  expect(await ask({ ...bounds, ...holdOf(3600) })).toEqual([
    [(10 * 10 + 20 * 10 + 40 * 40) / 60, 60],
    [5, 45],
  ]);
  expect(await ask({ ...bounds, ...holdOf(3600), groupBy: GroupBy.SENSOR })).toEqual([
    [(10 * 10 + 20 * 10 + 40 * 40 + 5 * 45) / 105, 105],
  ]);
  // The value before the timeframe no longer holds in it.
  expect(await ask({ ...bounds, ...holdOf(20) })).toEqual([
    [(20 * 10 + 40 * 20) / 30, 30],
    [5, 20],
  ]);
  // Without bounds, the time is from the first to the last reading, so that one reading has no weight.
  expect(await ask(holdOf(3600))).toEqual([[(10 * 40 + 20 * 10) / 50, 50], undefined]);
  expect(await ask(bounds)).toEqual([undefined, undefined]);
});

it("returns a value for empty buckets too, so that buckets combine to the whole on any number of pages", async () => {
  await using running = await startTestQuery();
  const { client, memory } = running;
  memory.append([temperature("a", -62_000, 10), temperature("a", -2_000, 20), temperature("b", -31_000, 7)]);
  const request = { deviceIds: ["a", "b"], since: at(-62_000), to: at(8_000), ...holdOf(40) };
  const resolution = { case: "bucket" as const, value: { seconds: 10n, nanos: 0 } };
  const ask = { ...request, resolution, fillMode: Fill.NULL };
  const { buckets } = await client.listBuckets(ask);
  expect(buckets.map(({ row }) => [row?.deviceId, row?.count, weightedOf(row)])).toEqual([
    ["a", 1n, [10, 10]],
    ["a", 0n, [10, 10]],
    ["a", 0n, [10, 10]],
    ["a", 0n, [10, 10]],
    ["a", 0n, undefined],
    ["a", 0n, undefined],
    ["a", 1n, [20, 10]],
    ["b", 0n, undefined],
    ["b", 0n, undefined],
    ["b", 0n, undefined],
    ["b", 1n, [7, 9]],
    ["b", 0n, [7, 10]],
    ["b", 0n, [7, 10]],
    ["b", 0n, [7, 10]],
  ]);
  const paged: Row[] = [];
  for (let pageToken = ""; ; ) {
    const page = await client.listBuckets({ ...ask, pageSize: 3, pageToken });
    paged.push(...page.buckets.map(({ row }) => row));
    pageToken = page.nextPageToken;
    if (pageToken === "") break;
  }
  expect(paged.map(weightedOf)).toEqual(buckets.map(({ row }) => weightedOf(row)));
  const { rows } = await client.getAggregates(request);
  const ofDevice = (id: string) =>
    buckets.flatMap(({ row }) => (row?.deviceId === id ? (weightedOf(row) ?? []) : []));
  for (const row of rows) {
    const pairs = ofDevice(row.deviceId);
    const covered = pairs.filter((_, place) => place % 2 === 1).reduce((sum, seconds) => sum + seconds, 0);
    expect(row.timeWeightedAverage?.coveredSeconds).toBe(covered);
  }
});

it("leaves out values in another unit that were measured before the timeframe", async () => {
  await using running = await startTestQuery();
  const { client, memory } = running;
  memory.append([{ ...temperature("a", -15_000, 60), sensor: "humidity" }, temperature("a", -10_000, 20)]);
  const { rows } = await client.getAggregates({
    ...{ since: at(-10_000), to: at(0), groupBy: GroupBy.DEVICE },
    ...holdOf(600),
  });
  expect(rows.map(weightedOf)).toEqual([[20, 10]]);
});

it("rejects a missing, short or long max_hold, and a page token of another one", async () => {
  await using running = await startTestQuery();
  const { client, memory } = running;
  const maxHolds = [undefined, { nanos: 999_999 }, { seconds: -1n }, { seconds: 31_622_401n }];
  for (const maxHold of maxHolds) {
    const timeWeighting = maxHold ? { maxHold } : {};
    expect((await failureOf(client.getAggregates({ timeWeighting }))).code).toBe(Code.InvalidArgument);
    expect((await failureOf(client.listBuckets({ timeWeighting }))).code).toBe(Code.InvalidArgument);
  }
  memory.append([temperature("a"), temperature("b")]);
  const { nextPageToken: pageToken } = await client.getAggregates({ ...holdOf(1), pageSize: 1 });
  const other = client.getAggregates({ ...holdOf(2), pageSize: 1, pageToken });
  expect((await failureOf(other)).code).toBe(Code.InvalidArgument);
});

it("rejects rows that need more readings than it computes averages from, and names the limit", async () => {
  await using running = await startTestQuery();
  const { client, memory } = running;
  memory.append([temperature("a", -1)]);
  const { scanReadings } = memory.store;
  memory.store.scanReadings = async function* (scan, signal) {
    for await (const piece of scanReadings(scan, signal)) {
      const row = <Value>(values: readonly Value[]) => Array.from({ length: 1001 }, () => values[0] as Value);
      const many = {
        timestampsMs: row(piece.timestampsMs),
        deviceIds: row(piece.deviceIds),
        sensors: row(piece.sensors),
        values: row(piece.values),
      };
      for (let count = 0; count < 1000; count++) yield many;
    }
  };
  // The readings up to max_hold before the timeframe count too.
  const failure = await failureOf(client.getAggregates({ since: at(-1), to: at(0), ...holdOf(60) }));
  expect([failure.code, failure.rawMessage]).toEqual([
    Code.ResourceExhausted,
    expect.stringMatching(/time-weighted averages .* 1000000 .* max_hold/),
  ]);
  const { readPartials } = memory.store;
  memory.store.readPartials = async (request, signal) => {
    const read = await readPartials(request, signal);
    return { ...read, partials: read.partials.map((partial) => ({ ...partial, count: 1_000_001 })) };
  };
  memory.store.scanReadings = () => {
    throw new Error("nothing needs to be read");
  };
  expect((await failureOf(client.getAggregates({ to: at(1), ...holdOf(60) }))).code).toBe(
    Code.ResourceExhausted,
  );
});

it("returns no average for rows that need readings older than the retention of raw readings", async () => {
  await using running = await startTestQuery();
  const { client, memory } = running;
  const dayMs = 86_400_000;
  memory.append([
    temperature("a", -5 * dayMs),
    temperature("a"),
    temperature("b", -1000, 3),
    temperature("b", 0),
  ]);
  const { readHorizon } = memory.store;
  memory.store.readHorizon = async (signal) => ({
    ...(await readHorizon(signal)),
    rawKeptSinceMs: temperature("a", -dayMs).timestampMs,
  });
  expect((await client.getAggregates(holdOf(60))).rows.map(weightedOf)).toEqual([undefined, [3, 1]]);
  const late = { since: at(-dayMs + 60_000), to: at(0) };
  expect((await client.getAggregates({ ...late, ...holdOf(60) })).rows.map(weightedOf)).toEqual([[3, 1]]);
  expect((await client.getAggregates({ ...late, ...holdOf(61) })).rows.map(weightedOf)).toEqual([undefined]);
});
