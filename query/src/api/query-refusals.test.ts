import { connect } from "node:http2";
import { Code, createClient } from "@connectrpc/connect";
import { protoTimestamp } from "@devicemesh/proto";
import { type GroupBy, GroupBy as Groups } from "@devicemesh/proto/es/devicemesh/v1/aggregate_pb.ts";
import {
  type Order,
  Order as Orders,
  QueryService,
} from "@devicemesh/proto/es/devicemesh/v1/query_service_pb.ts";
import { describe, expect, it } from "vitest";
import {
  failureOf,
  startTestQuery,
  temperature,
  testNowMs,
  transportsOf,
  violationsOf,
} from "../../testing/query-fixture.ts";

const now = protoTimestamp(testNowMs);
const path = "devicemesh.v1.QueryService/GetAggregates";

/** Sends one gRPC request as bytes and returns the status in the trailers. */
async function grpcStatusOf(baseUrl: string, path: string, body: Uint8Array): Promise<string> {
  const session = connect(baseUrl);
  try {
    const stream = session.request({
      ":method": "POST",
      ":path": path,
      "content-type": "application/grpc",
      te: "trailers",
    });
    const trailers = new Promise<string>((resolve, reject) => {
      stream.on("trailers", (headers) => resolve(String(headers["grpc-status"])));
      stream.on("error", reject);
      stream.on("end", () => reject(new Error("there were no trailers")));
    });
    stream.end(body);
    stream.resume();
    return await trailers;
  } finally {
    session.close();
  }
}

describe("a request that breaks a rule is INVALID_ARGUMENT with field and rule", () => {
  it("if since is equal to `to` or after it, over every protocol", async () => {
    await using running = await startTestQuery();
    for (const [name, transport] of transportsOf(running.baseUrl)) {
      const client = createClient(QueryService, transport);
      for (const to of [now, protoTimestamp(testNowMs - 1)]) {
        const error = await failureOf(client.getAggregates({ since: now, to }));
        expect([name, error.code, violationsOf(error)]).toEqual([
          name,
          Code.InvalidArgument,
          [{ field: "since", reason: "since.before_to" }],
        ]);
      }
    }
  });

  it("for names, timeframes, buckets, groups and page tokens that are out of bounds", async () => {
    await using running = await startTestQuery();
    running.memory.append([
      temperature("a"),
      { deviceId: "a", sensor: "pressure", timestampMs: testNowMs, value: 1000 },
    ]);
    const { client } = running;
    const many = Array.from({ length: 1001 }, (_, place) => `device-${place}`);
    const cases: [string, () => Promise<unknown>, { field: string; reason: string }[]][] = [
      [
        "1001 devices",
        () => client.getAggregates({ deviceIds: many }),
        [{ field: "device_ids", reason: "repeated.max_items" }],
      ],
      [
        "101 sensors",
        () => client.listBuckets({ sensors: many.slice(900) }),
        [{ field: "sensors", reason: "repeated.max_items" }],
      ],
      [
        "a long name",
        () => client.listSeries({ deviceIds: ["a", "b".repeat(129)] }),
        [{ field: "device_ids[1]", reason: "string.max_len" }],
      ],
      [
        "an unknown grouping",
        () => client.getAggregates({ groupBy: 77 as GroupBy }),
        [{ field: "group_by", reason: "enum.defined_only" }],
      ],
      [
        "an unknown order",
        () => client.listReadings({ order: 9 as Order }),
        [{ field: "order", reason: "enum.defined_only" }],
      ],
      [
        "a page of 1001",
        () => client.listReadings({ pageSize: 1001 }),
        [{ field: "page_size", reason: "uint32.lte" }],
      ],
      [
        "negative nanos",
        () => client.getAggregates({ since: { seconds: 5n, nanos: -1 } }),
        [{ field: "since", reason: "timestamp.well_formed" }],
      ],
      [
        "too many nanos",
        () => client.listReadings({ to: { seconds: 5n, nanos: 1_000_000_000 } }),
        [{ field: "to", reason: "timestamp.well_formed" }],
      ],
      [
        "year 10000, and before year 1",
        () =>
          client.getAggregates({
            since: { seconds: -62_135_596_801n, nanos: 0 },
            to: { seconds: 253_402_300_800n, nanos: 0 },
          }),
        [
          { field: "since", reason: "timestamp.well_formed" },
          { field: "to", reason: "timestamp.well_formed" },
        ],
      ],
      [
        "a bucket of two signs",
        () => client.listBuckets({ resolution: { case: "bucket", value: { seconds: 1n, nanos: -1 } } }),
        [{ field: "bucket", reason: "duration.well_formed" }],
      ],
      [
        "a bucket of nothing",
        () => client.listBuckets({ resolution: { case: "bucket", value: { seconds: 0n, nanos: 0 } } }),
        [{ field: "bucket", reason: "duration.gt" }],
      ],
      [
        "a bucket that is not of windows",
        () => client.listBuckets({ resolution: { case: "bucket", value: { seconds: 15n, nanos: 0 } } }),
        [{ field: "bucket", reason: "BUCKET_NOT_OF_WINDOWS" }],
      ],
      [
        "no points",
        () => client.listBuckets({ resolution: { case: "maxPoints", value: 0 } }),
        [{ field: "max_points", reason: "uint32.gte_lte" }],
      ],
      [
        "mixed units in one row",
        () => client.getAggregates({ groupBy: Groups.ALL }),
        [{ field: "group_by", reason: "MIXED_UNITS" }],
      ],
      [
        "mixed units in buckets",
        () => client.listBuckets({ groupBy: Groups.DEVICE }),
        [{ field: "group_by", reason: "MIXED_UNITS" }],
      ],
      [
        "a malformed token",
        () => client.listReadings({ pageToken: "abc" }),
        [{ field: "page_token", reason: "PAGE_TOKEN_NOT_OF_THIS_QUERY" }],
      ],
      [
        "a token too long",
        () => client.listSeries({ pageToken: "a".repeat(1025) }),
        [{ field: "page_token", reason: "string.max_len" }],
      ],
    ];
    for (const [what, call, violations] of cases) {
      const error = await failureOf(call());
      expect([what, error.code, violationsOf(error)]).toEqual([what, Code.InvalidArgument, violations]);
      expect(error.rawMessage).toContain(violations[0]?.field);
    }
    const watch = client.watchAggregates({ lastBuckets: 1001 })[Symbol.asyncIterator]();
    const error = await failureOf(watch.next());
    expect(violationsOf(error)).toEqual([{ field: "last_buckets", reason: "uint32.lte" }]);
    // The connection and other calls are not affected.
    expect((await client.getAggregates({})).rows).toHaveLength(2);
  });

  it("if a page token was altered or belongs to another query", async () => {
    await using running = await startTestQuery();
    const { client, memory } = running;
    memory.append(["a", "b", "c"].map((deviceId) => temperature(deviceId)));
    const { nextPageToken: pageToken } = await client.listReadings({ pageSize: 1 });
    const series = await client.listSeries({ pageSize: 1 });
    // The token is random: it must begin with another character.
    const altered = `${pageToken.startsWith("A") ? "B" : "A"}${pageToken.slice(1)}`;
    const refused = [
      () => client.listReadings({ pageToken: altered }),
      () => client.listReadings({ pageToken: pageToken.slice(0, -1) }),
      () => client.listReadings({ pageToken, deviceIds: ["a"] }),
      () => client.listReadings({ pageToken, since: now }),
      () => client.listReadings({ pageToken, order: Orders.NEWEST_FIRST }),
      () => client.listReadings({ pageToken: series.nextPageToken }),
      () => client.listSeries({ pageToken }),
      () => client.listSeries({ pageToken: series.nextPageToken, sensors: ["temperature"] }),
    ];
    for (const call of refused) {
      const error = await failureOf(call());
      expect([error.code, violationsOf(error)]).toEqual([
        Code.InvalidArgument,
        [{ field: "page_token", reason: "PAGE_TOKEN_NOT_OF_THIS_QUERY" }],
      ]);
    }
    // The page size is not part of the query.
    expect((await client.listReadings({ pageToken, pageSize: 9 })).readings).toHaveLength(2);
  });

  it("if a message is malformed, over gRPC and gRPC-Web, in a unary call and in a watch", async () => {
    await using running = await startTestQuery();
    const garbage = Uint8Array.of(0, 0, 0, 0, 3, 255, 1, 7);
    for (const method of ["GetAggregates", "WatchAggregates"]) {
      const rpc = `/devicemesh.v1.QueryService/${method}`;
      expect(await grpcStatusOf(running.baseUrl, rpc, garbage)).toBe("3");
      const web = await fetch(`${running.baseUrl}${rpc}`, {
        method: "POST",
        headers: { "content-type": "application/grpc-web+proto" },
        body: garbage,
      });
      // Where there is no message, the status is in the trailers, which are the body.
      expect(await web.text()).toMatch(/grpc-status: 3\b/);
    }
  });

  it("if bytes or JSON are malformed or JSON has unknown fields; unknown fields in bytes, as newer clients send them, are accepted", async () => {
    await using running = await startTestQuery();
    const post = (contentType: string, body: string | Uint8Array<ArrayBuffer>) =>
      fetch(`${running.baseUrl}/${path}`, { method: "POST", headers: { "content-type": contentType }, body });
    const garbled = await post("application/proto", Uint8Array.of(255, 1, 7));
    expect((await garbled.json()).message).toMatch(/is not a devicemesh\.v1\.GetAggregatesRequest/);
    for (const response of [
      await post("application/proto", Uint8Array.of(255, 1, 7, 0, 99)),
      await post("application/json", "{ nothing"),
      await post("application/json", '{"since": "yesterday"}'),
      await post("application/json", '{"groupBy": "GROUP_BY_MOOD"}'),
      await post("application/json", '{"groupBy": 77}'),
      await post("application/json", '{"devices": ["a"]}'),
    ]) {
      expect([response.status, (await response.json()).code]).toEqual([400, "invalid_argument"]);
    }
    const query = "encoding=proto&base64=1&message=";
    const got = await fetch(`${running.baseUrl}/${path}?${query}__8`);
    expect([got.status, (await got.json()).code]).toEqual([400, "invalid_argument"]);
    expect((await fetch(`${running.baseUrl}/${path}?${query}`)).status).toBe(200);
    // Field 99, varint 1.
    expect((await post("application/proto", Uint8Array.of(0x98, 0x06, 0x01))).status).toBe(200);
  });
});
