import { create } from "@bufbuild/protobuf";
import {
  HealthCheckRequestSchema,
  type HealthCheckResponse,
  HealthCheckResponse_ServingStatus,
  HealthListRequestSchema,
  type HealthListResponse,
  Health as HealthService,
} from "@devicemesh/proto/es/grpc/health/v1/health_pb.ts";
import {
  type Client,
  type ClientReadableStream,
  credentials,
  makeGenericClientConstructor,
  type ServiceError,
} from "@grpc/grpc-js";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { waitUntil } from "../../testing/test-helpers.ts";
import { grpcServiceDefinition } from "../rpc/grpc-js-service.ts";
import { startGrpcServer } from "../rpc/grpc-server.ts";
import type { RunningServer } from "../server/running-server.ts";
import {
  addHealthToGrpcServer,
  connectionHealthWatchersMax,
  createHealth,
  type Health,
  healthWatchersMax,
} from "./health.ts";

const { SERVING, NOT_SERVING, SERVICE_UNKNOWN } = HealthCheckResponse_ServingStatus;

describe("createHealth", () => {
  it("begins as serving, and sets one service or all", () => {
    const health = createHealth(["a", "b"]);
    expect([health.check(""), health.check("a"), health.check("b")]).toEqual([
      "SERVING",
      "SERVING",
      "SERVING",
    ]);
    health.setServing(false, "a");
    expect([health.check(""), health.check("a"), health.check("b")]).toEqual([
      "SERVING",
      "NOT_SERVING",
      "SERVING",
    ]);
    health.setServing(false);
    expect([...health.list().values()]).toEqual(["NOT_SERVING", "NOT_SERVING", "NOT_SERVING"]);
    health.setServing(true);
    expect([...health.list().keys()]).toEqual(["", "a", "b"]);
    expect(health.check("a")).toBe("SERVING");
  });

  it("rejects an unknown name in set", () => {
    expect(() => createHealth(["a"]).setServing(true, "c")).toThrow('no service "c"');
  });

  it("returns NOT_FOUND for unknown names", () => {
    expect(() => createHealth([]).check("a")).toThrow(expect.objectContaining({ code: "NOT_FOUND" }));
  });

  it("sends a watcher the status at once, and each change only", async () => {
    const health = createHealth(["a"]);
    const abort = new AbortController();
    const watcher = health.watch("a", abort.signal, "a:1")[Symbol.asyncIterator]();
    expect(await watcher.next()).toMatchObject({ value: "SERVING" });
    const next = watcher.next();
    health.setServing(true);
    health.setServing(false, "");
    health.setServing(false, "a");
    expect(await next).toMatchObject({ value: "NOT_SERVING" });
    const last = watcher.next();
    abort.abort();
    expect(await last).toMatchObject({ done: true });
  });

  it("sends a slow watcher the latest status only", async () => {
    const health = createHealth(["a"]);
    const watcher = health.watch("a", new AbortController().signal, "a:1")[Symbol.asyncIterator]();
    expect(await watcher.next()).toMatchObject({ value: "SERVING" });
    for (const serving of [false, true, false, true, false]) {
      health.setServing(serving);
    }
    expect(await watcher.next()).toMatchObject({ value: "NOT_SERVING" });
    health.close();
    expect(await watcher.next()).toMatchObject({ done: true });
  });

  it("ends its watchers, and stays not serving", async () => {
    const health = createHealth(["a"]);
    const reported: string[] = [];
    const watching = (async () => {
      for await (const status of health.watch("a", new AbortController().signal, "a:1")) {
        reported.push(status);
      }
    })();
    await waitUntil(() => reported.length === 1);
    health.close();
    await watching;
    expect(reported).toEqual(["SERVING", "NOT_SERVING"]);
    health.setServing(true);
    expect(health.check("a")).toBe("NOT_SERVING");
  });

  it("accepts a bounded number of watchers, and another one when one leaves", async () => {
    const health = createHealth([]);
    const abort = new AbortController();
    const watchers = Array.from({ length: healthWatchersMax }, (_, i) =>
      health.watch("", abort.signal, `a:${i}`)[Symbol.asyncIterator](),
    );
    await Promise.all(watchers.map((watcher) => watcher.next()));
    const late = () => health.watch("", abort.signal, "b:1")[Symbol.asyncIterator]().next();
    await expect(late()).rejects.toMatchObject({ code: "RESOURCE_EXHAUSTED" });
    await watchers[0]!.return!();
    await expect(late()).resolves.toMatchObject({ value: "SERVING" });
    abort.abort();
  });
});

describe("the watchers of one connection", () => {
  it("are limited, without an effect on those of others", async () => {
    const health = createHealth([]);
    const abort = new AbortController();
    const begin = (peer: string) => health.watch("", abort.signal, peer)[Symbol.asyncIterator]();
    const watchers = Array.from({ length: connectionHealthWatchersMax }, () => begin("a:1"));
    await Promise.all(watchers.map((watcher) => watcher.next()));
    await expect(begin("a:1").next()).rejects.toMatchObject({
      code: "RESOURCE_EXHAUSTED",
      message: expect.stringContaining("of one connection") as unknown,
    });
    await expect(begin("a:2").next()).resolves.toMatchObject({ value: "SERVING" });
    await watchers[0]!.return!();
    await expect(begin("a:1").next()).resolves.toMatchObject({ value: "SERVING" });
    abort.abort();
  });
});

describe("addHealthToGrpcServer", () => {
  let health: Health;
  let server: RunningServer;
  let client: Client;
  const definition = grpcServiceDefinition(HealthService);

  beforeEach(async () => {
    health = createHealth(["a.B"]);
    server = await startGrpcServer({
      host: "127.0.0.1",
      port: 0,
      // Longer than the time limit of a test: closing must not wait for it.
      shutdownGraceMs: 600_000,
      addServices: (target) => addHealthToGrpcServer(target, health),
      onClosing: () => health.close(),
    });
    const HealthClient = makeGenericClientConstructor(definition, "Health");
    client = new HealthClient(`127.0.0.1:${server.port}`, credentials.createInsecure());
  });
  afterEach(async () => {
    client.close();
    await server.close();
  });

  function call<Response>(method: string, request: object): Promise<Response> {
    const { path, requestSerialize, responseDeserialize } = definition[method]!;
    return new Promise((resolve, reject) => {
      client.makeUnaryRequest(path, requestSerialize, responseDeserialize, request, (error, response) =>
        error === null ? resolve(response as Response) : reject(error),
      );
    });
  }
  const check = (service: string) =>
    call<HealthCheckResponse>("check", create(HealthCheckRequestSchema, { service }));
  const watch = (service: string): ClientReadableStream<HealthCheckResponse> => {
    const { path, requestSerialize, responseDeserialize } = definition.watch!;
    const request = create(HealthCheckRequestSchema, { service });
    return client.makeServerStreamRequest(
      path,
      requestSerialize,
      responseDeserialize,
      request,
    ) as ClientReadableStream<HealthCheckResponse>;
  };

  it("answers Check for the server and for a service", async () => {
    health.setServing(false, "a.B");
    expect((await check("")).status).toBe(SERVING);
    expect((await check("a.B")).status).toBe(NOT_SERVING);
  });

  it("answers Check of an unknown service with NOT_FOUND", async () => {
    await expect(check("a.C")).rejects.toMatchObject({ code: 5 } satisfies Partial<ServiceError>);
  });

  it("answers List", async () => {
    const { statuses } = await call<HealthListResponse>("list", create(HealthListRequestSchema));
    expect(Object.entries(statuses).map(([name, { status }]) => [name, status])).toEqual([
      ["", SERVING],
      ["a.B", SERVING],
    ]);
  });

  it("answers Watch with the status at once and each change", async () => {
    const reported: number[] = [];
    const stream = watch("a.B");
    stream
      .on("data", (response: HealthCheckResponse) => reported.push(response.status))
      .on("error", () => {});
    await waitUntil(() => reported.length === 1);
    health.setServing(false);
    await waitUntil(() => reported.length === 2);
    expect(reported).toEqual([SERVING, NOT_SERVING]);
    stream.cancel();
  });

  it("answers Watch of an unknown service with SERVICE_UNKNOWN, and stays", async () => {
    const reported: number[] = [];
    const stream = watch("a.C");
    let ended = false;
    stream
      .on("data", (response: HealthCheckResponse) => reported.push(response.status))
      .on("error", () => {})
      .on("end", () => {
        ended = true;
      });
    await waitUntil(() => reported.length === 1);
    health.setServing(false);
    await check("");
    expect({ reported, ended }).toEqual({ reported: [SERVICE_UNKNOWN], ended: false });
    stream.cancel();
  });

  it("ends its watchers, without waiting for the grace period, when the server closes", async () => {
    const reported: number[] = [];
    const stream = watch("a.B");
    const status = new Promise<{ code: number }>((resolve) => stream.on("status", resolve));
    stream
      .on("data", (response: HealthCheckResponse) => reported.push(response.status))
      .on("error", () => {});
    await waitUntil(() => reported.length === 1);
    await server.close();
    expect((await status).code).toBe(0);
    expect(reported).toEqual([SERVING, NOT_SERVING]);
  });
});
