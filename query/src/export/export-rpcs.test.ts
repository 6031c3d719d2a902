import { Code, createClient } from "@connectrpc/connect";
import { CalendarUnit, QueryService } from "@devicemesh/proto/es/devicemesh/v1/query_service_pb.ts";
import { expect, it } from "vitest";
import {
  failureOf,
  startTestQuery,
  temperature,
  testNowMs,
  transportsOf,
} from "../../testing/query-fixture.ts";
import { exportsMax } from "./export-limits.ts";

const range = (count: number) => Array.from({ length: count }, (_, place) => place);

it("exports all readings in order and ends with their number and coverage, over every protocol", async () => {
  await using running = await startTestQuery();
  const readings = range(12_345).map((place) => temperature(`device-${place % 7}`, -place, place % 50));
  running.memory.append(readings);
  for (const [name, transport] of transportsOf(running.baseUrl)) {
    const client = createClient(QueryService, transport);
    const messages = [];
    for await (const message of client.exportReadings({})) messages.push(message);
    const end = messages.pop()?.end;
    expect([name, end?.rows]).toEqual([name, 12_345n]);
    expect(end?.coverage).toMatchObject({ fromRaw: 12_345n, notCovered: [] });
    expect(messages.every(({ readings, end }) => readings.length <= 1000 && end === undefined)).toBe(true);
    const rows = messages.flatMap(({ readings }) => readings);
    expect(rows.map(({ deviceId, value }) => [deviceId, value])).toEqual(
      readings.toReversed().map(({ deviceId, value }) => [deviceId, value]),
    );
  }
});

it("exports buckets that have readings, by start and group, and their coverage", async () => {
  await using running = await startTestQuery();
  running.memory.append([
    temperature("b", -3_600_000, 10),
    temperature("a", -3_600_001, 20),
    temperature("a", -7_200_000, 30),
    temperature("a", -7_199_000, 40),
  ]);
  const messages = [];
  for await (const message of running.client.exportBuckets({})) messages.push(message);
  expect(messages.flatMap(({ buckets }) => buckets)).toMatchObject([
    {
      start: { seconds: BigInt(Date.UTC(2026, 10, 23, 18) / 1000) },
      row: { deviceId: "a", count: 2n, average: 35 },
    },
    { start: { seconds: BigInt(Date.UTC(2026, 10, 23, 19) / 1000) }, row: { deviceId: "a", count: 1n } },
    { start: { seconds: BigInt(Date.UTC(2026, 10, 23, 19) / 1000) }, row: { deviceId: "b", count: 1n } },
  ]);
  expect(messages.at(-1)?.end).toMatchObject({ rows: 3n, coverage: { fromRaw: 4n, notCovered: [] } });
});

it("exports buckets of the calendar of a zone", async () => {
  await using running = await startTestQuery();
  const at = (text: string, value: number) => temperature("a", Date.parse(text) - testNowMs, value);
  running.memory.append([
    at("2026-10-24T21:59:59Z", 1),
    at("2026-10-24T22:00:00Z", 2),
    at("2026-10-25T22:59:59Z", 3),
    at("2026-10-25T23:00:00Z", 4),
  ]);
  const calendar = { unit: CalendarUnit.DAY, timeZone: "Europe/Berlin" };
  const messages = [];
  for await (const message of running.client.exportBuckets({ calendar })) messages.push(message);
  const text = (timestamp: { seconds: bigint } | undefined) =>
    new Date(Number(timestamp?.seconds) * 1000).toISOString();
  expect(
    messages.flatMap(({ buckets }) =>
      buckets.map(({ start, end, row }) => [text(start), text(end), row?.sum]),
    ),
  ).toEqual([
    ["2026-10-23T22:00:00.000Z", "2026-10-24T22:00:00.000Z", 1],
    ["2026-10-24T22:00:00.000Z", "2026-10-25T23:00:00.000Z", 5],
    ["2026-10-25T23:00:00.000Z", "2026-10-26T23:00:00.000Z", 4],
  ]);
  const both = running.client.exportBuckets({ calendar, bucket: { seconds: 10n } })[Symbol.asyncIterator]();
  expect((await failureOf(both.next())).code).toBe(Code.InvalidArgument);
});

it("lists expired spans in the coverage", async () => {
  await using running = await startTestQuery();
  const dayMs = 86_400_000;
  const markMs = Math.floor(testNowMs / dayMs) * dayMs - 3 * dayMs;
  running.memory.append([temperature("a", -10 * dayMs), temperature("a", -1)]);
  const marks = { rawMs: markMs, levelsMs: [markMs, markMs, markMs] };
  running.memory.expire(marks);
  running.memory.expire(marks);
  for (const stream of [running.client.exportReadings({}), running.client.exportBuckets({})]) {
    let end: { rows: bigint; coverage?: { notCovered: unknown[] } | undefined } | undefined;
    for await (const message of stream as AsyncIterable<{ end?: typeof end }>) end = message.end;
    expect(end?.rows).toBe(1n);
    expect(end?.coverage?.notCovered).toMatchObject([{ to: { seconds: BigInt(markMs / 1000) } }]);
  }
});

it("fails a stream whose store fails: no end is sent", async () => {
  await using running = await startTestQuery({
    wrap: (store) => ({
      ...store,
      async *scanReadings(scan, signal) {
        yield* store.scanReadings(scan, signal);
        throw new Error("the disk is gone");
      },
    }),
  });
  running.memory.append([temperature("a")]);
  for (const [, transport] of transportsOf(running.baseUrl)) {
    const seen: unknown[] = [];
    const failure = await failureOf(
      (async () => {
        for await (const { end } of createClient(QueryService, transport).exportReadings({})) seen.push(end);
      })(),
    );
    expect(failure.code).toBe(Code.Internal);
    expect(seen).toEqual([undefined]);
  }
});

it("rejects a bucket that is not a multiple of the window, and times out of order", async () => {
  await using running = await startTestQuery();
  const first = (stream: AsyncIterable<unknown>) => failureOf(stream[Symbol.asyncIterator]().next());
  expect((await first(running.client.exportBuckets({ bucket: { seconds: 15n } }))).code).toBe(
    Code.InvalidArgument,
  );
  const times = { since: { seconds: 10n }, to: { seconds: 5n } };
  expect((await first(running.client.exportReadings(times))).code).toBe(Code.InvalidArgument);
});

it("admits a bounded number of exports, and further ones when some have ended or their clients have disconnected", async () => {
  const proceed = Promise.withResolvers<void>();
  let waiting = 0;
  const allWait = Promise.withResolvers<void>();
  await using running = await startTestQuery({
    wrap: (store) => ({
      ...store,
      async *scanReadings(scan, signal) {
        waiting++;
        if (waiting === exportsMax) allWait.resolve();
        const aborted = new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
        await Promise.race([proceed.promise, aborted]);
        signal.throwIfAborted();
        yield* store.scanReadings(scan, signal);
      },
    }),
  });
  running.memory.append([temperature("a")]);
  const gone = new AbortController();
  const drain = async (signal?: AbortSignal) => {
    let rows = 0n;
    for await (const { end } of running.client.exportReadings({}, { ...(signal && { signal }) }))
      rows = end?.rows ?? 0n;
    return rows;
  };
  const first = drain(gone.signal).catch(() => undefined);
  const others = range(exportsMax - 1).map(() => drain());
  await allWait.promise;
  expect((await failureOf(drain())).code).toBe(Code.ResourceExhausted);
  gone.abort();
  await first;
  proceed.resolve();
  expect(await Promise.all(others)).toEqual(others.map(() => 1n));
  expect(await drain()).toBe(1n);
});
