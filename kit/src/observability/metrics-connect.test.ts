import { connect as connectTcp } from "node:net";
import { Code, ConnectError, createClient, type ServiceImpl, type Transport } from "@connectrpc/connect";
import {
  connectNodeAdapter,
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from "@connectrpc/connect-node";
import { Health as HealthService } from "@devicemesh/proto/es/grpc/health/v1/health_pb.ts";
import { describe, expect, it } from "vitest";
import { startTestMetrics } from "../../testing/metrics-scrape.ts";
import { waitUntil } from "../../testing/test-helpers.ts";
import { createErrorInterceptor } from "../rpc/connect-status.ts";
import { RpcError } from "../rpc/rpc-error.ts";
import { startOnePortServer } from "../server/one-port-server.ts";
import { silentLogger } from "./logger.ts";
import { createConnectCounting } from "./metrics-connect.ts";

const check = { grpc_type: "unary", grpc_service: "grpc.health.v1.Health", grpc_method: "Check" };
const watch = { ...check, grpc_type: "server_stream", grpc_method: "Watch" };

function implementation(): Partial<ServiceImpl<typeof HealthService>> {
  const aborted = (signal: AbortSignal) =>
    new Promise<never>((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
  return {
    async check({ service }, { signal }) {
      if (service === "unknown") throw new RpcError({ code: "NOT_FOUND", message: "unknown" });
      if (service === "broken") throw new Error("foreign");
      if (service === "never") await aborted(signal);
      return {};
    },
    async *watch({ service }, { signal }) {
      yield {};
      if (service === "broken") throw new Error("foreign");
      if (service === "never") await aborted(signal);
      // Ignores its signal.
      if (service === "deaf") await new Promise(() => {});
    },
  };
}

async function startCounted() {
  const reported = await startTestMetrics();
  const counting = createConnectCounting(reported.metrics.rpc);
  const handler = connectNodeAdapter({
    routes(router) {
      router.service(HealthService, implementation());
      counting.know(router);
    },
    interceptors: [counting.interceptor, createErrorInterceptor({ logger: silentLogger() })],
  });
  const server = await startOnePortServer({ host: "127.0.0.1", port: 0, handler, shutdownGraceMs: 50 });
  const baseUrl = `http://127.0.0.1:${server.port}`;
  return {
    reported,
    baseUrl,
    async [Symbol.asyncDispose]() {
      await server.close();
      await reported[Symbol.asyncDispose]();
    },
  };
}

type Counted = Awaited<ReturnType<typeof startCounted>>;

async function codeOf(call: Promise<unknown>): Promise<Code | 0> {
  try {
    await call;
    return 0;
  } catch (error) {
    return ConnectError.from(error).code;
  }
}

async function drain(messages: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of messages) {
    // Only the end of the call matters.
  }
}

/** Returns the ends by code, once there are this many. */
async function endsOf({ reported }: Counted, count: number): Promise<Readonly<Record<string, number>>> {
  let ends: Readonly<Record<string, number>> = {};
  await waitUntil(async () => {
    ends = (await reported.scrape()).by("grpc_server_handled_total", "grpc_code");
    return Object.values(ends).reduce((sum, one) => sum + one, 0) === count;
  });
  return ends;
}

const transports: [string, (baseUrl: string) => Transport][] = [
  ["Connect on HTTP/1.1", (baseUrl) => createConnectTransport({ baseUrl, httpVersion: "1.1" })],
  ["gRPC", (baseUrl) => createGrpcTransport({ baseUrl })],
  ["gRPC-Web", (baseUrl) => createGrpcWebTransport({ baseUrl, httpVersion: "1.1" })],
];

describe.each(transports)("counting of a Connect server, over %s", (_, transportOf) => {
  it("counts each call and each stream with its caller's code", async () => {
    await using counted = await startCounted();
    const client = createClient(HealthService, transportOf(counted.baseUrl));
    const codes = [
      await codeOf(client.check({})),
      await codeOf(client.check({ service: "unknown" })),
      await codeOf(client.check({ service: "broken" })),
      await codeOf(client.list({})),
      await codeOf(drain(client.watch({}))),
      await codeOf(drain(client.watch({ service: "broken" }))),
    ];
    expect(codes).toEqual([0, Code.NotFound, Code.Internal, Code.Unimplemented, 0, Code.Internal]);
    expect(await endsOf(counted, 6)).toEqual({ OK: 2, NotFound: 1, Internal: 2, Unimplemented: 1 });
    const { value } = await counted.reported.scrape();
    expect(value("grpc_server_started_total", check)).toBe(3);
    expect(value("grpc_server_handled_total", { ...watch, grpc_code: "Internal" })).toBe(1);
    expect(value("grpc_server_handling_seconds_count", watch)).toBe(2);
  });

  it("counts a call whose deadline passes, and one that its client cancels", async () => {
    await using counted = await startCounted();
    const client = createClient(HealthService, transportOf(counted.baseUrl));
    // Set in the headers, so that only the server knows the deadline.
    const headers = { "connect-timeout-ms": "30", "grpc-timeout": "30m" };
    expect(await codeOf(client.check({ service: "never" }, { headers }))).toBe(Code.DeadlineExceeded);
    const leaving = new AbortController();
    const call = codeOf(client.check({ service: "never" }, { signal: leaving.signal }));
    await waitUntil(
      async () => (await counted.reported.scrape()).value("grpc_server_in_flight", check) === 1,
    );
    leaving.abort();
    expect(await call).toBe(Code.Canceled);
    expect(await endsOf(counted, 2)).toEqual({ DeadlineExceeded: 1, Canceled: 1 });
  });

  it.each(["never", "deaf"])(
    "counts a stream that its client leaves, if it is %s to end",
    async (service) => {
      await using counted = await startCounted();
      const client = createClient(HealthService, transportOf(counted.baseUrl));
      const leaving = new AbortController();
      const call = codeOf(drain(client.watch({ service }, { signal: leaving.signal })));
      await waitUntil(
        async () => (await counted.reported.scrape()).value("grpc_server_in_flight", watch) === 1,
      );
      leaving.abort();
      expect(await call).toBe(Code.Canceled);
      expect(await endsOf(counted, 1)).toEqual({ Canceled: 1 });
      expect((await counted.reported.scrape()).value("grpc_server_in_flight", watch)).toBe(0);
    },
  );
});

it("counts a stream whose client disconnects in the middle of its request as cancelled", async () => {
  await using counted = await startCounted();
  const socket = connectTcp(Number(new URL(counted.baseUrl).port), "127.0.0.1");
  socket.write(
    "POST /grpc.health.v1.Health/Watch HTTP/1.1\r\nhost: h\r\ncontent-type: application/connect+json\r\ncontent-length: 9\r\n\r\nhalf",
  );
  await waitUntil(async () => (await counted.reported.scrape()).value("grpc_server_in_flight", watch) === 1);
  socket.resetAndDestroy();
  expect(await endsOf(counted, 1)).toEqual({ Canceled: 1 });
});
