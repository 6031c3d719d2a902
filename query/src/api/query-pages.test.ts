import { toBinary } from "@bufbuild/protobuf";
import { protoTimestamp } from "@devicemesh/proto";
import { GroupBy } from "@devicemesh/proto/es/devicemesh/v1/aggregate_pb.ts";
import {
  GetAggregatesResponseSchema,
  ListBucketsResponseSchema,
} from "@devicemesh/proto/es/devicemesh/v1/query_service_pb.ts";
import { describe, expect, it } from "vitest";
import {
  failureOf,
  startTestQuery,
  temperature,
  testNowMs,
  violationsOf,
} from "../../testing/query-fixture.ts";

/** The limit of every answer; clients reject 4 MiB by default. */
const answerBytesMax = 3 * 1024 * 1024;
const tenSeconds = { case: "bucket", value: { seconds: 10n, nanos: 0 } } as const;
const minute = { since: protoTimestamp(testNowMs - 60_000), to: protoTimestamp(testNowMs) };

/** Returns the length of an answer in JSON, as curl receives it. */
async function jsonBytes(baseUrl: string, method: string, request: object): Promise<number> {
  const response = await fetch(`${baseUrl}/devicemesh.v1.QueryService/${method}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(request),
  });
  expect(response.status).toBe(200);
  return (await response.text()).length;
}

describe("an answer", () => {
  it("stays below 3 MiB in bytes and in JSON for devices with the longest ids and 300 buckets each, and its pages contain every bucket", async () => {
    await using running = await startTestQuery();
    const { client, memory, baseUrl } = running;
    // The longest ids, and values with all their digits.
    const ids = Array.from({ length: 20 }, (_, place) => `${place}`.padEnd(128, "d"));
    memory.append(
      ids.flatMap((id, place) =>
        Array.from({ length: 300 }, (_, bucket) =>
          temperature(id, -bucket * 10_000 - place, -Math.PI * place),
        ),
      ),
    );
    const seen = new Set<string>();
    let pages = 0;
    for (let pageToken: string | undefined = ""; pageToken !== undefined; pages++) {
      const answer = await client.listBuckets({ resolution: tenSeconds, pageToken });
      expect(toBinary(ListBucketsResponseSchema, answer).length).toBeLessThan(answerBytesMax);
      for (const { start, row } of answer.buckets) seen.add(`${row?.deviceId} ${start?.seconds}`);
      pageToken = answer.nextPageToken || undefined;
    }
    expect([pages, seen.size >= 6000]).toEqual([Math.ceil(seen.size / 2500), true]);
    expect(await jsonBytes(baseUrl, "ListBuckets", { bucket: "10s" })).toBeLessThan(answerBytesMax);
    expect(await jsonBytes(baseUrl, "ListReadings", { pageSize: 1000 })).toBeLessThan(answerBytesMax);
  });

  it("stays below 3 MiB for many series, and its pages contain every row once", async () => {
    await using running = await startTestQuery();
    const { client, memory, baseUrl } = running;
    memory.append(
      Array.from({ length: 3000 }, (_, place) => temperature(`${place}`.padEnd(128, "d"), -place, place / 7)),
    );
    const first = await client.getAggregates({});
    expect(toBinary(GetAggregatesResponseSchema, first).length).toBeLessThan(answerBytesMax);
    expect(await jsonBytes(baseUrl, "GetAggregates", {})).toBeLessThan(answerBytesMax);
    expect(await jsonBytes(baseUrl, "ListSeries", { pageSize: 1000 })).toBeLessThan(answerBytesMax);
    const second = await client.getAggregates({ pageToken: first.nextPageToken });
    expect([first, second].map(({ rows }) => rows.length)).toEqual([2500, 500]);
    expect(second.nextPageToken).toBe("");
    const rows = [first, second].flatMap((answer) => answer.rows.map(({ deviceId }) => deviceId));
    expect(rows).toEqual([...new Set(rows)].sort());
    const counted = [first, second].map(({ coverage }) => Number(coverage?.fromRaw));
    expect(counted).toEqual([2500, 500]);
  });

  it("keeps the size and the span of the first page's buckets, whatever arrives between pages", async () => {
    await using running = await startTestQuery();
    const { client, memory } = running;
    memory.append(["a", "b", "c"].flatMap((id) => [temperature(id, -20_000), temperature(id)]));
    const request = { resolution: { case: "maxPoints", value: 3 }, fill: true, pageSize: 3 } as const;
    const first = await client.listBuckets(request);
    expect(first.buckets.map(({ row }) => row?.deviceId)).toEqual(["a", "a", "a"]);
    // A new first device, and readings that extend the span and would make the buckets larger.
    memory.append([temperature("A", -10_000), temperature("b", -10_000), temperature("b", 86_000_000)]);
    const second = await client.listBuckets({ ...request, pageToken: first.nextPageToken });
    expect(second.bucket).toEqual(first.bucket);
    expect(second.buckets.map(({ row, start }) => [row?.deviceId, Number(row?.count), start])).toEqual(
      first.buckets.map(({ start }) => ["b", 1, start]),
    );
    const third = await client.listBuckets({ ...request, pageToken: second.nextPageToken });
    expect(third.buckets.map(({ row, start }) => [row?.deviceId, start])).toEqual(
      first.buckets.map(({ start }) => ["c", start]),
    );
    expect(third.nextPageToken).toBe("");
  });

  it("is rejected for the page token of another query, and for a page of 2501 rows", async () => {
    await using running = await startTestQuery();
    const { client, memory } = running;
    memory.append(["a", "b"].map((id) => temperature(id)));
    const { nextPageToken: pageToken } = await client.getAggregates({ pageSize: 1 });
    const buckets = await client.listBuckets({ pageSize: 1 });
    for (const call of [
      () => client.getAggregates({ pageToken, groupBy: GroupBy.SENSOR }),
      () => client.getAggregates({ pageToken, to: minute.to }),
      () => client.getAggregates({ pageToken: buckets.nextPageToken }),
      () => client.listBuckets({ pageToken }),
      () => client.listBuckets({ pageToken: buckets.nextPageToken, fill: true }),
      () => client.listBuckets({ pageToken: buckets.nextPageToken, resolution: tenSeconds }),
    ]) {
      const error = await failureOf(call());
      expect(violationsOf(error)).toEqual([{ field: "page_token", reason: "PAGE_TOKEN_NOT_OF_THIS_QUERY" }]);
    }
    for (const call of [client.getAggregates({ pageSize: 2501 }), client.listBuckets({ pageSize: 2501 })]) {
      expect(violationsOf(await failureOf(call))).toEqual([{ field: "page_size", reason: "uint32.lte" }]);
    }
    // The page size is not part of the query.
    expect((await client.getAggregates({ pageToken, pageSize: 9 })).rows).toHaveLength(1);
  });
});

describe("fill", () => {
  it("has the empty buckets of a requested device without readings in the range, in order", async () => {
    await using running = await startTestQuery();
    const { client, memory } = running;
    memory.append([
      temperature("silent", -86_400_000),
      { deviceId: "silent", sensor: "humidity", timestampMs: testNowMs - 86_400_000, value: 40 },
      temperature("a", -1),
      temperature("z", -1),
    ]);
    const request = { ...minute, resolution: { case: "maxPoints", value: 1 }, fill: true } as const;
    const rowsOf = async (deviceIds: string[], groupBy: GroupBy = GroupBy.SERIES) => {
      const { buckets } = await client.listBuckets({ ...request, deviceIds, groupBy });
      return buckets.map(({ row }) => `${row?.deviceId} ${row?.sensor} ${row?.unit} ${row?.count}`);
    };
    const series = ["silent humidity % 0", "silent temperature °C 0"];
    expect(await rowsOf(["silent"])).toEqual(series);
    expect(await rowsOf(["z", "silent", "a", "unknown"])).toEqual([
      "a temperature °C 1",
      ...series,
      "z temperature °C 1",
    ]);
    expect(await rowsOf(["silent", "a"], GroupBy.SENSOR)).toEqual([" humidity % 0", " temperature °C 1"]);
    expect(await rowsOf(["silent"], GroupBy.DEVICE)).toEqual(["silent   0"]);
    // All devices: those with readings.
    expect(await rowsOf([])).toEqual(["a temperature °C 1", "z temperature °C 1"]);
  });

  it("has one bucket over the years 1 to 9999", async () => {
    await using running = await startTestQuery();
    const { client, memory, baseUrl } = running;
    memory.append([temperature("a")]);
    const response = await fetch(`${baseUrl}/devicemesh.v1.QueryService/ListBuckets`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: '{"maxPoints":1,"fill":true,"since":"0001-01-01T00:00:00Z","to":"9999-12-31T23:59:59Z"}',
    });
    const { bucket, buckets } = await response.json();
    expect([response.status, bucket, buckets?.length, buckets?.[0]?.row?.count]).toEqual([
      200,
      "315576000000s",
      1,
      "1",
    ]);
    for (const points of [1, 2, 3]) {
      const answer = await client.listBuckets({
        since: { seconds: -62_135_596_800n, nanos: 0 },
        to: { seconds: 253_402_300_799n, nanos: 0 },
        resolution: { case: "maxPoints", value: points },
        fill: true,
      });
      expect(answer.buckets.length).toBeLessThanOrEqual(points);
    }
  });
});
