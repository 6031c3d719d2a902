import { Code, ConnectError } from "@connectrpc/connect";
import {
  CalendarUnit,
  Fill,
  type ListBucketsRequest,
} from "@devicemesh/proto/es/devicemesh/v1/query_service_pb.ts";
import { describe, expect, it } from "vitest";
import { failureOf, startTestQuery, temperature, testNowMs } from "../../testing/query-fixture.ts";

const [hourMs, dayMs] = [3_600_000, 86_400_000];
const at = (text: string, value = 20) => temperature("a", Date.parse(text) - testNowMs, value);
const timestamp = (text: string) => ({ seconds: BigInt(Date.parse(text) / 1000), nanos: 0 });
const textOf = (time: { seconds: bigint } | undefined) =>
  time && new Date(Number(time.seconds) * 1000).toISOString();
const calendar = (unit: CalendarUnit, timeZone: string) =>
  ({ case: "calendar", value: { unit, timeZone } }) as const satisfies { case: "calendar"; value: object };

type Row = readonly [string | undefined, string | undefined, number | undefined];

async function rowsOf(
  client: Awaited<ReturnType<typeof startTestQuery>>["client"],
  request: Parameters<typeof client.listBuckets>[0],
): Promise<Row[]> {
  const { buckets } = await client.listBuckets(request);
  return buckets.map(({ start, end, row }) => [textOf(start), textOf(end), row?.average]);
}

describe("ListBuckets of a calendar", () => {
  it("returns days of 23 and 25 hours, and months and ISO weeks of the zone", async () => {
    await using running = await startTestQuery();
    const { client, memory } = running;
    memory.append([
      at("2026-03-28T23:00:00Z", 1),
      at("2026-03-29T21:59:59Z", 3),
      at("2026-03-29T22:00:00Z", 7),
    ]);
    expect(await rowsOf(client, { resolution: calendar(CalendarUnit.DAY, "Europe/Berlin") })).toEqual([
      ["2026-03-28T23:00:00.000Z", "2026-03-29T22:00:00.000Z", 2],
      ["2026-03-29T22:00:00.000Z", "2026-03-30T22:00:00.000Z", 7],
    ]);
    expect(await rowsOf(client, { resolution: calendar(CalendarUnit.WEEK, "Europe/Berlin") })).toEqual([
      ["2026-03-22T23:00:00.000Z", "2026-03-29T22:00:00.000Z", 2],
      ["2026-03-29T22:00:00.000Z", "2026-04-05T22:00:00.000Z", 7],
    ]);
    const response = await client.listBuckets({ resolution: calendar(CalendarUnit.MONTH, "Asia/Kathmandu") });
    expect(response).toMatchObject({ calendar: { unit: CalendarUnit.MONTH, timeZone: "Asia/Kathmandu" } });
    expect(response.bucket).toBeUndefined();
    expect(textOf(response.buckets[0]?.start)).toBe("2026-02-28T18:15:00.000Z");
  });

  it("is read page by page", async () => {
    await using running = await startTestQuery();
    running.memory.append([0, 1, 2, 3, 4].map((day) => temperature("a", -day * dayMs, day)));
    const request = {
      resolution: calendar(CalendarUnit.DAY, "America/New_York"),
      fillMode: Fill.NULL,
      pageSize: 2,
    };
    const whole = await running.client.listBuckets({ ...request, pageSize: 0 });
    const paged = [];
    for (let pageToken = ""; ; ) {
      const page = await running.client.listBuckets({ ...request, pageToken });
      paged.push(...page.buckets);
      pageToken = page.nextPageToken;
      if (pageToken === "") break;
    }
    expect(paged).toEqual(whole.buckets);
    expect(paged).toHaveLength(5);
  });

  it("rejects unknown zones and units, an origin, and too many buckets", async () => {
    await using running = await startTestQuery();
    const { client, memory } = running;
    memory.append([at("2020-01-01T00:00:00Z"), at("2026-01-01T00:00:00Z")]);
    const codeOf = async (request: Partial<Omit<ListBucketsRequest, "$typeName">>) => {
      const { code, rawMessage } = ConnectError.from(await failureOf(client.listBuckets(request as object)));
      return `${Code[code]} ${rawMessage}`;
    };
    const hours = calendar(CalendarUnit.HOUR, "");
    expect(await codeOf({ resolution: calendar(CalendarUnit.DAY, "Mars/Base") } as never)).toMatch(
      /^InvalidArgument calendar.time_zone/,
    );
    expect(await codeOf({ resolution: calendar(0 as CalendarUnit, "") } as never)).toMatch(
      /^InvalidArgument/,
    );
    expect(await codeOf({ resolution: hours, origin: timestamp("2026-01-01T00:00:00Z") } as never)).toMatch(
      /^InvalidArgument .*origin/,
    );
    expect(await codeOf({ resolution: hours } as never)).toMatch(/^ResourceExhausted buckets of a series/);
    expect(await codeOf({ origin: { seconds: 5n, nanos: 0 } } as never)).toMatch(/^InvalidArgument origin/);
  });
});

describe("ListBuckets of a fixed size", () => {
  it("starts whole weeks on Monday, and any size at the origin", async () => {
    await using running = await startTestQuery();
    running.memory.append([at("2026-11-22T23:59:59Z", 1), at("2026-11-23T00:00:00Z", 2)]);
    const week = { case: "bucket", value: { seconds: BigInt((7 * dayMs) / 1000), nanos: 0 } } as const;
    expect((await rowsOf(running.client, { resolution: week })).map(([start]) => start)).toEqual([
      "2026-11-16T00:00:00.000Z",
      "2026-11-23T00:00:00.000Z",
    ]);
    const hour = { case: "bucket", value: { seconds: BigInt(hourMs / 1000), nanos: 0 } } as const;
    const origin = timestamp("2030-01-01T00:20:00Z");
    expect(await rowsOf(running.client, { resolution: hour, origin })).toEqual([
      ["2026-11-22T23:20:00.000Z", "2026-11-23T00:20:00.000Z", 1.5],
    ]);
  });

  it("fills empty buckets with nothing, the previous figures or interpolated ones", async () => {
    await using running = await startTestQuery();
    running.memory.append([at("2026-11-22T01:00:00Z", 10), at("2026-11-22T04:00:00Z", 40)]);
    const request = {
      resolution: { case: "bucket", value: { seconds: 3600n, nanos: 0 } },
      since: timestamp("2026-11-22T00:00:00Z"),
      to: timestamp("2026-11-22T06:00:00Z"),
    } as const;
    const averages = async (fillMode: Fill) =>
      (await rowsOf(running.client, { ...request, fillMode })).map(([, , average]) => average);
    expect(await averages(Fill.NONE)).toEqual([10, 40]);
    expect(await averages(Fill.NULL)).toEqual([undefined, 10, undefined, undefined, 40, undefined]);
    expect(await averages(Fill.PREVIOUS)).toEqual([undefined, 10, 10, 10, 40, 40]);
    expect(await averages(Fill.LINEAR)).toEqual([undefined, 10, 20, 30, 40, undefined]);
  });
});

describe("ListBuckets without bounds", () => {
  it("follows the readings, not wrong clocks, and states the readings that it leaves outside", async () => {
    await using running = await startTestQuery();
    const { client, memory } = running;
    memory.append(Array.from({ length: 60 }, (_, place) => temperature("a", -place * 60_000)));
    memory.append([
      at("2000-01-01T00:00:00Z"),
      at("2000-01-01T00:00:10Z"),
      at("2013-06-01T00:00:00Z"),
      temperature("b", dayMs),
    ]);
    const answer = await client.listBuckets({
      resolution: { case: "maxPoints", value: 60 },
      fillMode: Fill.NULL,
    });
    expect(answer.bucket?.seconds).toBe(60n);
    expect(answer.buckets.reduce((sum, { row }) => sum + Number(row?.count), 0)).toBe(60);
    expect(answer.outside).toMatchObject([
      { count: 3n, first: timestamp("2000-01-01T00:00:00Z"), last: timestamp("2013-06-01T00:00:00Z") },
      { count: 1n },
    ]);
    expect(answer.timeframe?.since).toMatchObject({ nanos: 1_000_000 });
    // Requested bounds are answered.
    const old = await client.listBuckets({ deviceIds: ["a"], to: timestamp("2014-01-01T00:00:00Z") });
    expect(old.outside).toEqual([]);
    expect(old.buckets.reduce((sum, { row }) => sum + Number(row?.count), 0)).toBe(3);
    const ahead = await client.listBuckets({ deviceIds: ["b"] });
    expect(ahead.buckets).toHaveLength(1);
    const day = { case: "bucket", value: { seconds: 86_400n, nanos: 0 } } as const;
    const exact = await client.listBuckets({ resolution: day });
    expect(exact.buckets.reduce((sum, { row }) => sum + Number(row?.count), 0)).toBe(64);
  });

  it("leaves out no readings if they are many, or close to the others", async () => {
    await using running = await startTestQuery();
    running.memory.append([
      ...Array.from({ length: 20 }, (_, place) => at("2020-01-01T00:00:00Z", place)),
      ...Array.from({ length: 10 }, (_, place) => at(`2020-01-01T00:00:${10 + place}Z`)),
      ...Array.from({ length: 20 }, (_, place) => temperature("a", -place * 1000)),
    ]);
    const answer = await running.client.listBuckets({});
    expect(answer.outside).toEqual([]);
    expect(answer.timeframe?.since).toBeUndefined();
  });
});
