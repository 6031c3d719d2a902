import { create } from "@bufbuild/protobuf";
import { Code, ConnectError, createClient, type ServiceImpl } from "@connectrpc/connect";
import {
  connectNodeAdapter,
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from "@connectrpc/connect-node";
import { BadRequestSchema } from "@devicemesh/proto/es/google/rpc/error_details_pb.ts";
import {
  HealthCheckResponseSchema,
  Health as HealthService,
} from "@devicemesh/proto/es/grpc/health/v1/health_pb.ts";
import { describe, expect, it } from "vitest";
import { waitUntil } from "../../testing/test-helpers.ts";
import { createLogger } from "../observability/logger.ts";
import { startOnePortServer } from "../server/one-port-server.ts";
import { createErrorInterceptor, requestIdHeader, toConnectError } from "./connect-status.ts";
import { invalidArgument } from "./rpc-error.ts";

type Handlers = Partial<ServiceImpl<typeof HealthService>>;

/** A server with the interceptor, and its log lines. */
async function startServer(handlers: Handlers) {
  const lines: string[] = [];
  const logger = createLogger({
    name: "test",
    level: "info",
    destination: { write: (line) => lines.push(line) },
  });
  const handler = connectNodeAdapter({
    routes: (router) => router.service(HealthService, handlers),
    interceptors: [createErrorInterceptor({ logger, createRequestId: () => "id-1" })],
  });
  const server = await startOnePortServer({ host: "127.0.0.1", port: 0, handler, shutdownGraceMs: 100 });
  return { server, lines, events: () => lines.map((line) => JSON.parse(line)) };
}

function clients(port: number) {
  const baseUrl = `http://127.0.0.1:${port}`;
  return {
    "Connect on HTTP/1.1": createClient(
      HealthService,
      createConnectTransport({ baseUrl, httpVersion: "1.1" }),
    ),
    "Connect on HTTP/2": createClient(HealthService, createConnectTransport({ baseUrl, httpVersion: "2" })),
    gRPC: createClient(HealthService, createGrpcTransport({ baseUrl })),
    "gRPC-Web": createClient(HealthService, createGrpcWebTransport({ baseUrl, httpVersion: "1.1" })),
  };
}

async function failureOf(call: () => Promise<unknown>): Promise<ConnectError> {
  try {
    await call();
  } catch (error) {
    return error as ConnectError;
  }
  throw new Error("no error came");
}

async function drain(messages: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of messages) {
    // Only the end of the call matters.
  }
}

const violation = { field: "service", description: "is not known", reason: "service.known" };

describe("createErrorInterceptor", () => {
  it("sends code, text, details and request id in every protocol, in calls and in streams", async () => {
    const { server, lines } = await startServer({
      check() {
        throw invalidArgument(violation);
      },
      async *watch() {
        yield create(HealthCheckResponseSchema);
        throw invalidArgument(violation);
      },
    });
    await using _ = server;
    for (const [protocol, client] of Object.entries(clients(server.port))) {
      for (const call of [() => client.check({}), () => drain(client.watch({}))]) {
        const error = await failureOf(call);
        expect(error.code, protocol).toBe(Code.InvalidArgument);
        expect(error.rawMessage, protocol).toBe("service: is not known");
        expect(error.findDetails(BadRequestSchema)[0]!.fieldViolations[0], protocol).toMatchObject(violation);
        expect(error.metadata.get(requestIdHeader), protocol).toBe("id-1");
      }
    }
    expect(lines).toEqual([]);
  });

  it("hides a foreign error, and logs it with the request id and the method", async () => {
    const { server, events } = await startServer({
      check() {
        throw new Error("secret", { cause: new Error("deeper") });
      },
      watch: () => ({
        [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(new Error("secret")) }),
      }),
    });
    await using _ = server;
    for (const client of Object.values(clients(server.port))) {
      for (const call of [() => client.check({}), () => drain(client.watch({}))]) {
        const error = await failureOf(call);
        expect(error).toMatchObject({ code: Code.Internal, rawMessage: "internal error", details: [] });
        expect(error.metadata.get(requestIdHeader)).toBe("id-1");
      }
    }
    expect(events()).toHaveLength(8);
    expect(events()[0]).toMatchObject({
      level: "error",
      msg: "request failed",
      requestId: "id-1",
      method: "/grpc.health.v1.Health/Check",
    });
    expect(events()[0].error.message).toBe("secret");
    expect(events()[0].error.cause.message).toBe("deeper");
    expect(events()[1].method).toBe("/grpc.health.v1.Health/Watch");
  });

  it("keeps a well-formed request id and replaces any other, also in successful responses", async () => {
    const { server } = await startServer({ check: () => ({}) });
    await using _ = server;
    const url = `http://127.0.0.1:${server.port}/grpc.health.v1.Health/Check`;
    const idFor = async (id: string) => {
      const headers = { "content-type": "application/json", [requestIdHeader]: id };
      const response = await fetch(url, { method: "POST", headers, body: "{}" });
      expect(response.status).toBe(200);
      return response.headers.get(requestIdHeader);
    };
    expect(await idFor("edge-42")).toBe("edge-42");
    expect(await idFor("a b")).toBe("id-1");
    expect(await idFor("x".repeat(65))).toBe("id-1");
  });

  it("lets a ConnectError pass", async () => {
    const { server, lines } = await startServer({
      check() {
        throw new ConnectError("not today", Code.FailedPrecondition);
      },
    });
    await using _ = server;
    const error = await failureOf(() => clients(server.port).gRPC.check({}));
    expect(error).toMatchObject({ code: Code.FailedPrecondition, rawMessage: "not today" });
    expect(lines).toEqual([]);
  });

  it("returns DEADLINE_EXCEEDED for a passed deadline, and logs nothing", async () => {
    let aborted = false;
    const { server, lines } = await startServer({
      async check(_, { signal }) {
        await new Promise((resolve) => signal.addEventListener("abort", resolve));
        aborted = true;
        throw new DOMException("aborted", "AbortError");
      },
    });
    await using _ = server;
    const error = await failureOf(() => clients(server.port).gRPC.check({}, { timeoutMs: 50 }));
    expect(error.code).toBe(Code.DeadlineExceeded);
    await waitUntil(() => aborted);
    expect(lines).toEqual([]);
  });

  it.each(["Connect on HTTP/1.1", "Connect on HTTP/2", "gRPC", "gRPC-Web"] as const)(
    "logs nothing when a watcher disconnects: %s",
    async (name) => {
      let ended = false;
      const { server, lines } = await startServer({
        async *watch(_, { signal }) {
          try {
            yield create(HealthCheckResponseSchema);
            await new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
          } finally {
            ended = true;
          }
        },
      });
      await using _ = server;
      const caller = new AbortController();
      await failureOf(async () => {
        for await (const _ of clients(server.port)[name].watch({}, { signal: caller.signal })) caller.abort();
      });
      await waitUntil(() => ended);
      await server.close();
      expect(lines).toEqual([]);
    },
  );

  it("logs nothing when a client disconnects, including HTTP/1.1", async () => {
    let waiting = 0;
    let left = 0;
    const { server, lines } = await startServer({
      async check(_, { signal }) {
        waiting++;
        await new Promise((resolve) => signal.addEventListener("abort", resolve));
        // The next iteration of the event loop, so that the thrown error has been handled.
        setImmediate(() => left++);
        throw signal.reason;
      },
    });
    await using _ = server;
    for (const client of Object.values(clients(server.port))) {
      const leaving = new AbortController();
      const call = failureOf(() => client.check({}, { signal: leaving.signal }));
      const before = waiting;
      await waitUntil(() => waiting > before);
      leaving.abort();
      expect((await call).code).toBe(Code.Canceled);
    }
    await waitUntil(() => left === 4);
    expect(lines).toEqual([]);
  });
});

describe("toConnectError", () => {
  it("keeps the original for the log", () => {
    const original = new Error("secret");
    const error = toConnectError(original);
    expect(error.cause).toBe(original);
    expect(error.message).not.toContain("secret");
  });
});
