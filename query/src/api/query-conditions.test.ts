import { Code, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { createLogger } from "@devicemesh/kit/observability/logger";
import { waitUntil } from "@devicemesh/kit/testing/test-helpers";
import { protoTimestamp } from "@devicemesh/proto";
import { QueryService } from "@devicemesh/proto/es/devicemesh/v1/query_service_pb.ts";
import { QuotaFailureSchema, RetryInfoSchema } from "@devicemesh/proto/es/google/rpc/error_details_pb.ts";
import { describe, expect, it } from "vitest";
import {
  failureOf,
  startTestQuery,
  stuckStore,
  temperature,
  testNowMs,
  transportsOf,
} from "../../testing/query-fixture.ts";

describe("other conditions", () => {
  it("unknown names are answered with OK and no rows", async () => {
    await using running = await startTestQuery();
    running.memory.append([temperature("a")]);
    const filter = { deviceIds: ["unknown", "' OR 1=1"], sensors: ["mood"] };
    const { client } = running;
    expect((await client.getAggregates(filter)).rows).toEqual([]);
    expect((await client.listBuckets(filter)).buckets).toEqual([]);
    expect((await client.listReadings(filter)).readings).toEqual([]);
    expect(await client.listSeries(filter)).toMatchObject({ series: [], total: 0n });
  });

  it("a request that is too large is RESOURCE_EXHAUSTED", async () => {
    await using running = await startTestQuery({ config: { readMaxBytes: 10_000 } });
    for (const [, transport] of transportsOf(running.baseUrl).filter(([name]) => !name.includes("GET"))) {
      const client = createClient(QueryService, transport);
      const error = await failureOf(client.getAggregates({ deviceIds: ["x".repeat(20_000)] }));
      expect(error.code).toBe(Code.ResourceExhausted);
    }
    expect((await running.client.getAggregates({})).rows).toEqual([]);
  });

  it("too many buckets are RESOURCE_EXHAUSTED with the solution", async () => {
    await using running = await startTestQuery();
    const { client, memory } = running;
    memory.append([temperature("a", -10 * 86_400_000), temperature("a")]);
    const tenSeconds = { case: "bucket", value: { seconds: 10n, nanos: 0 } } as const;
    const error = await failureOf(client.listBuckets({ resolution: tenSeconds }));
    expect([error.code, error.findDetails(QuotaFailureSchema)[0]?.violations[0]?.subject]).toEqual([
      Code.ResourceExhausted,
      "buckets of a series",
    ]);
    expect(error.rawMessage).toMatch(/86401.*10000.*larger bucket/);
    // Wide bounds around few readings are fine, unless they are to be filled.
    const wide = {
      since: protoTimestamp(testNowMs - 3_600_000),
      to: protoTimestamp(testNowMs + 1e10),
      resolution: tenSeconds,
    };
    expect((await client.listBuckets(wide)).buckets).toHaveLength(1);
    expect((await failureOf(client.listBuckets({ ...wide, fill: true }))).code).toBe(Code.ResourceExhausted);
  });

  it("too many rows are RESOURCE_EXHAUSTED with the solution", async () => {
    await using running = await startTestQuery();
    const { client, memory } = running;
    memory.append(Array.from({ length: 60 }, (_, place) => temperature(`device-${place}`, -place * 1000)));
    const request = {
      since: protoTimestamp(testNowMs - 20_000_000),
      to: protoTimestamp(testNowMs + 1),
      resolution: { case: "bucket", value: { seconds: 10n, nanos: 0 } },
      fill: true,
    } as const;
    const error = await failureOf(client.listBuckets(request));
    expect(error.code).toBe(Code.ResourceExhausted);
    expect(error.rawMessage).toMatch(/120060.*100000/);
  });

  it("too many concurrent calls are RESOURCE_EXHAUSTED, until some have ended", async () => {
    let stuck: ReturnType<typeof stuckStore> | undefined;
    await using running = await startTestQuery({
      config: { callsMax: 2 },
      wrap: (store) => {
        stuck = stuckStore(store);
        return stuck;
      },
    });
    const { client } = running;
    const caller = new AbortController();
    const first = [1, 2].map(() => failureOf(client.getAggregates({}, { signal: caller.signal })));
    await waitUntil(() => stuck?.waiting === 2);
    expect((await failureOf(client.getAggregates({}))).code).toBe(Code.ResourceExhausted);
    caller.abort();
    for (const call of first) expect((await call).code).toBe(Code.Canceled);
    await waitUntil(() => stuck?.waiting === 0, { what: "cancelled calls release the store" });
    expect((await failureOf(client.getAggregates({}, { timeoutMs: 50 }))).code).toBe(Code.DeadlineExceeded);
  });

  it("a call that takes too long is DEADLINE_EXCEEDED, by the caller's deadline and by the server's", async () => {
    await using running = await startTestQuery({ config: { callTimeoutMs: 300 }, wrap: stuckStore });
    for (const [name, transport] of transportsOf(running.baseUrl)) {
      const client = createClient(QueryService, transport);
      const mine = await failureOf(client.getAggregates({}, { timeoutMs: 30 }));
      expect([name, mine.code]).toEqual([name, Code.DeadlineExceeded]);
    }
    const theirs = await failureOf(running.client.getAggregates({}));
    expect(theirs.code).toBe(Code.DeadlineExceeded);
    expect(theirs.rawMessage).toMatch(/300 ms/);
    // A longer deadline is not the caller's mistake: the server's comes first.
    const longer = await failureOf(running.client.getAggregates({}, { timeoutMs: 100_000 }));
    expect(longer.rawMessage).toMatch(/300 ms/);
  });

  it("an unavailable store is UNAVAILABLE with RetryInfo", async () => {
    await using running = await startTestQuery();
    running.memory.close();
    const { client } = running;
    const watch = client.watchAggregates({})[Symbol.asyncIterator]();
    for (const call of [
      () => client.getAggregates({}),
      () => client.listBuckets({}),
      () => client.listReadings({}),
      () => client.listSeries({}),
      () => client.getPipelineStatus({}),
      () => watch.next(),
    ]) {
      const error = await failureOf(call());
      expect(error.code).toBe(Code.Unavailable);
      expect(error.findDetails(RetryInfoSchema)[0]?.retryDelay).toBeTruthy();
    }
  });

  it("any other failure is INTERNAL with a fixed text; the log keeps the cause with the request id", async () => {
    const lines: string[] = [];
    await using running = await startTestQuery({
      logger: createLogger({
        name: "test",
        level: "error",
        destination: { write: (line) => lines.push(line) },
      }),
      wrap: (store) => ({ ...store, readHorizon: () => Promise.reject(new Error("secret disk name")) }),
    });
    const client = createClient(QueryService, createGrpcTransport({ baseUrl: running.baseUrl }));
    const error = await failureOf(client.getAggregates({}, { headers: { "x-request-id": "request-7" } }));
    expect([error.code, error.rawMessage]).toEqual([Code.Internal, "internal error"]);
    expect(error.metadata.get("x-request-id")).toBe("request-7");
    expect(lines.join()).toContain("secret disk name");
    expect(lines.join()).toContain("request-7");
  });
});
