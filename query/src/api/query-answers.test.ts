import { millisecondsFloor, protoTimestamp } from "@devicemesh/proto";
import { GroupBy } from "@devicemesh/proto/es/devicemesh/v1/aggregate_pb.ts";
import { Order } from "@devicemesh/proto/es/devicemesh/v1/query_service_pb.ts";
import { describe, expect, it } from "vitest";
import { startTestQuery, temperature, testNowMs } from "../../testing/query-fixture.ts";

const dayMs = 86_400_000;

describe("listBuckets", () => {
  it("chooses at most 300 buckets by default", async () => {
    await using running = await startTestQuery();
    running.memory.append([temperature("a", -3_000_000), temperature("a")]);
    const { bucket, buckets } = await running.client.listBuckets({});
    expect([bucket?.seconds, buckets.length]).toEqual([20n, 2]);
  });

  it("fills the timeframe for every group that has readings, with the group and its unit", async () => {
    await using running = await startTestQuery();
    running.memory.append([temperature("a"), temperature("b", -30_000)]);
    const { buckets } = await running.client.listBuckets({
      deviceIds: ["a", "b", "unknown"],
      since: protoTimestamp(testNowMs - 31_000),
      to: protoTimestamp(testNowMs + 1),
      resolution: { case: "bucket", value: { seconds: 10n, nanos: 0 } },
      fill: true,
    });
    expect(buckets.map(({ row }) => `${row?.deviceId} ${row?.unit} ${row?.count}`)).toEqual([
      ...["a °C 0", "a °C 0", "a °C 0", "a °C 1"],
      ...["b °C 1", "b °C 0", "b °C 0", "b °C 0"],
    ]);
    const { sensor, sum, average, first } = buckets[0]?.row ?? {};
    expect([sensor, sum, average, first]).toEqual(["temperature", undefined, undefined, undefined]);
  });

  it("reads many series with many buckets in parts, with the same answer", async () => {
    await using running = await startTestQuery();
    const devices = Array.from({ length: 60 }, (_, place) => `device-${place}`);
    running.memory.append(
      devices.flatMap((deviceId, place) => [
        temperature(deviceId, -place * 1_000_003),
        temperature(deviceId),
      ]),
    );
    const resolution = { case: "bucket", value: { seconds: 10n, nanos: 0 } } as const;
    const { buckets, coverage } = await running.client.listBuckets({ resolution });
    expect(buckets.reduce((sum, { row }) => sum + (row?.count ?? 0n), 0n)).toBe(119n);
    expect(coverage).toMatchObject({ fromWindows: 0n, fromRaw: 119n, notCovered: [] });
  });

  it("returns ends of buckets within the range of a timestamp", async () => {
    await using running = await startTestQuery();
    running.memory.append([temperature("a")]);
    const { buckets } = await running.client.listBuckets({
      since: protoTimestamp(0),
      to: protoTimestamp(Date.UTC(9999, 11, 31)),
      resolution: { case: "maxPoints", value: 1 },
    });
    expect(buckets).toHaveLength(1);
    expect(buckets[0]?.end?.seconds).toBeLessThan(253_402_300_800n);
  });
});

describe("listSeries", () => {
  it("pages through all series with count, first and latest", async () => {
    await using running = await startTestQuery();
    running.memory.append([
      temperature("b", -2 * dayMs, 1),
      temperature("b", 0, 2),
      { deviceId: "b", sensor: "humidity", timestampMs: testNowMs, value: 50 },
      temperature("a", -1, 3),
    ]);
    running.advance(3 * dayMs);
    running.memory.fold();
    const { client } = running;
    const first = await client.listSeries({ pageSize: 2 });
    const second = await client.listSeries({ pageSize: 2, pageToken: first.nextPageToken });
    expect([first.total, second.total, second.nextPageToken]).toEqual([3n, 3n, ""]);
    const rows = [...first.series, ...second.series].map(
      ({ deviceId, sensor, unit, count, first, latest }) => [
        `${deviceId} ${sensor} ${unit} ${count}`,
        first?.value,
        latest?.value,
      ],
    );
    expect(rows).toEqual([
      ["a temperature °C 1", 3, 3],
      ["b humidity % 1", 50, 50],
      ["b temperature °C 2", 1, 2],
    ]);
    expect(first.coverage).toMatchObject({ fromWindows: 2n, fromRaw: 0n });
  });

  it("is empty for an empty store", async () => {
    await using running = await startTestQuery();
    const { series, total, coverage } = await running.client.listSeries({});
    expect([series, total, coverage?.fromRaw]).toEqual([[], 0n, 0n]);
  });
});

describe("getPipelineStatus", () => {
  it("returns the counts and the progress of the store", async () => {
    await using running = await startTestQuery();
    const reading = temperature("a");
    running.memory.append([reading, reading, { ...reading, value: 3 }]);
    running.advance(25_000);
    running.memory.fold();
    const { status } = await running.client.getPipelineStatus({});
    expect(status).toMatchObject({
      storedReadings: 1n,
      series: 1n,
      duplicates: 1n,
      conflicts: 1n,
    });
    expect(status?.refused).toBeUndefined();
    expect(status?.levels.map(({ window, partials }) => [window?.seconds, partials])).toEqual([
      [10n, 1n],
      [600n, 0n],
      [86_400n, 0n],
    ]);
    const [finest] = status?.levels ?? [];
    expect(millisecondsFloor(finest?.frontier ?? { seconds: 0n, nanos: 0 })).toBe(testNowMs + 18_000);
    expect(finest?.lag?.seconds).toBe(7n);
    expect(status?.versions).toMatchObject({ node: process.versions.node, memory: "1" });
    expect(status?.versions["device-mesh"]).toMatch(/^\d/);
    expect([status?.logEnd, status?.started]).toMatchObject([
      protoTimestamp(testNowMs),
      protoTimestamp(testNowMs),
    ]);
  });
});

describe("coverage", () => {
  it("lists the spans that have expired, and leaves their readings out", async () => {
    await using running = await startTestQuery();
    const { client, memory } = running;
    const keptMs = Math.floor(testNowMs / dayMs) * dayMs;
    const old = [-3 * dayMs, -3 * dayMs + 1].map((offset) => temperature("a", offset));
    memory.append([...old, temperature("a")]);
    running.advance(4 * dayMs);
    memory.fold();
    const forever = Number.NEGATIVE_INFINITY;
    for (let twice = 0; twice < 2; twice++)
      memory.expire({ rawMs: keptMs, levelsMs: [keptMs, forever, forever] });
    const all = await client.getAggregates({ groupBy: GroupBy.ALL });
    expect([all.rows[0]?.count, all.coverage?.notCovered]).toEqual([3n, []]);

    const ragged = protoTimestamp(testNowMs - 3 * dayMs);
    const cut = await client.getAggregates({ groupBy: GroupBy.ALL, since: ragged });
    expect(cut.rows[0]?.count).toBe(1n);
    const [span] = cut.coverage?.notCovered ?? [];
    expect(span?.since).toMatchObject(ragged);
    expect(millisecondsFloor(span?.to ?? { seconds: 0n, nanos: 0 }) % 600_000).toBe(0);

    const raw = await client.listReadings({ order: Order.NEWEST_FIRST });
    expect(raw.readings).toHaveLength(1);
    expect(raw.coverage?.notCovered).toMatchObject([{ to: protoTimestamp(keptMs) }]);
    expect(raw.coverage?.notCovered[0]?.since).toBeUndefined();
  });

  it("has no frontier if nothing is folded", async () => {
    await using running = await startTestQuery();
    const { coverage } = await running.client.getAggregates({});
    expect([coverage?.frontier, coverage?.completeThrough]).toMatchObject([
      undefined,
      protoTimestamp(testNowMs),
    ]);
  });
});
