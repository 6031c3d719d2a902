import { create } from "@bufbuild/protobuf";
import {
  HealthCheckRequestSchema,
  Health as HealthService,
} from "@devicemesh/proto/es/grpc/health/v1/health_pb.ts";
import {
  type Client,
  credentials,
  type handleUnaryCall,
  Metadata,
  makeGenericClientConstructor,
  type ServerUnaryCall,
  type sendUnaryData,
} from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import { startTestMetrics } from "../../testing/metrics-scrape.ts";
import { waitUntil } from "../../testing/test-helpers.ts";
import { addHealthToGrpcServer, createHealth } from "../health/health.ts";
import { grpcServiceDefinition } from "../rpc/grpc-js-service.ts";
import { startGrpcServer } from "../rpc/grpc-server.ts";

const definition = grpcServiceDefinition(HealthService);
const method = (name: string, type = "unary") => ({
  grpc_type: type,
  grpc_service: "grpc.health.v1.Health",
  grpc_method: name,
});

/** A server whose Check answers "now", never answers "never", and throws for "throw"; it counts calls. */
async function startCounted() {
  const reported = await startTestMetrics();
  const health = createHealth([]);
  const server = await startGrpcServer({
    host: "127.0.0.1",
    port: 0,
    shutdownGraceMs: 50,
    metrics: reported.metrics,
    options: { "grpc.max_receive_message_length": 100 },
    onClosing: () => health.close(),
    addServices: (target) =>
      addHealthToGrpcServer(
        {
          addService: (service, { check, ...others }) =>
            target.addService(service, {
              ...others,
              check(call: ServerUnaryCall<{ service: string }, object>, callback: sendUnaryData<object>) {
                if (call.request.service !== "never")
                  (check as handleUnaryCall<unknown, object>)(call, callback);
              },
            }),
        },
        health,
      ),
  });
  const GenericClient = makeGenericClientConstructor(definition, "Health");
  const client: Client = new GenericClient(`127.0.0.1:${server.port}`, credentials.createInsecure());
  /** Calls Check, and returns the number of its code. */
  function check(
    service: string,
    options: { serverTimeout?: string; cancel?: Promise<unknown> } = {},
  ): Promise<number> {
    const { path, requestSerialize, responseDeserialize } = definition.check!;
    const request = create(HealthCheckRequestSchema, { service });
    return new Promise((resolve) => {
      const call = client.makeUnaryRequest(
        path,
        requestSerialize,
        responseDeserialize,
        request,
        // Set in a header, so that only the server knows the deadline.
        Metadata.fromHttp2Headers(options.serverTimeout ? { "grpc-timeout": options.serverTimeout } : {}),
        (error) => resolve(error?.code ?? 0),
      );
      void options.cancel?.then(() => call.cancel());
    });
  }
  return {
    reported,
    client,
    check,
    async [Symbol.asyncDispose]() {
      client.close();
      await server.close();
      await reported[Symbol.asyncDispose]();
    },
  };
}

type Counted = Awaited<ReturnType<typeof startCounted>>;

/** Returns the ends of Check by code, once there are this many. */
async function endsOf({ reported }: Counted, count: number): Promise<Readonly<Record<string, number>>> {
  let ends: Readonly<Record<string, number>> = {};
  await waitUntil(async () => {
    ends = (await reported.scrape()).by("grpc_server_handled_total", "grpc_code");
    return Object.values(ends).reduce((sum, one) => sum + one, 0) === count;
  });
  return ends;
}

describe("counting of a grpc-js server", () => {
  it("counts each call with its caller's code", async () => {
    await using counted = await startCounted();
    const { check } = counted;
    const codes = [await check(""), await check(""), await check("unknown")];
    expect(codes).toEqual([0, 0, 5]);
    expect(await endsOf(counted, 3)).toEqual({ OK: 2, NotFound: 1 });
    const { value } = await counted.reported.scrape();
    expect(value("grpc_server_started_total", method("Check"))).toBe(3);
    expect(value("grpc_server_handling_seconds_count", method("Check"))).toBe(3);
    expect(value("grpc_server_in_flight", method("Check"))).toBe(0);
    expect(value("grpc_server_started_total", method("List"))).toBe(0);
  });

  it("counts calls that grpc-js answers by itself: deadlines, and messages that are too large", async () => {
    await using counted = await startCounted();
    expect(await counted.check("never", { serverTimeout: "30m" })).toBe(4);
    expect(await counted.check("x".repeat(200))).toBe(8);
    expect(await endsOf(counted, 2)).toEqual({ DeadlineExceeded: 1, ResourceExhausted: 1 });
  });

  it("counts a call that its client cancels as cancelled, and as in flight until then", async () => {
    await using counted = await startCounted();
    const { promise, resolve } = Promise.withResolvers<void>();
    const call = counted.check("never", { cancel: promise });
    await waitUntil(
      async () => (await counted.reported.scrape()).value("grpc_server_in_flight", method("Check")) === 1,
    );
    expect((await counted.reported.scrape()).by("grpc_server_handled_total", "grpc_code")).toEqual({});
    resolve();
    expect(await call).toBe(1);
    expect(await endsOf(counted, 1)).toEqual({ Canceled: 1 });
    expect((await counted.reported.scrape()).value("grpc_server_in_flight", method("Check"))).toBe(0);
  });

  it("counts a stream when it ends", async () => {
    await using counted = await startCounted();
    const { path, requestSerialize, responseDeserialize } = definition.watch!;
    const request = create(HealthCheckRequestSchema);
    const stream = counted.client.makeServerStreamRequest(
      path,
      requestSerialize,
      responseDeserialize,
      request,
    );
    stream.on("error", () => {});
    await new Promise((resolve) => stream.once("data", resolve));
    const open = await counted.reported.scrape();
    expect(open.value("grpc_server_in_flight", method("Watch", "server_stream"))).toBe(1);
    expect(open.by("grpc_server_handled_total", "grpc_code")).toEqual({});
    stream.cancel();
    expect(await endsOf(counted, 1)).toEqual({ Canceled: 1 });
  });

  it("creates no label for a method that the server does not have", async () => {
    await using counted = await startCounted();
    const code = await new Promise((resolve) =>
      counted.client.makeUnaryRequest(
        "/grpc.health.v1.Health/Invented",
        definition.check!.requestSerialize,
        definition.check!.responseDeserialize,
        create(HealthCheckRequestSchema),
        (error) => resolve(error?.code),
      ),
    );
    expect(code).toBe(12);
    expect(await counted.reported.metrics.text()).not.toContain("Invented");
  });
});
