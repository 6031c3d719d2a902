import { Code, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { PortInUseError } from "@devicemesh/kit/server/port-in-use-error";
import { waitUntil } from "@devicemesh/kit/testing/test-helpers";
import { QueryService } from "@devicemesh/proto/es/devicemesh/v1/query_service_pb.ts";
import { RetryInfoSchema } from "@devicemesh/proto/es/google/rpc/error_details_pb.ts";
import { Health, HealthCheckResponse_ServingStatus } from "@devicemesh/proto/es/grpc/health/v1/health_pb.ts";
import { describe, expect, it } from "vitest";
import {
  failureOf,
  startTestQuery,
  stuckStore,
  temperature,
  transportsOf,
} from "../../testing/query-fixture.ts";
import type { ReadingStore } from "../store/reading-store.ts";

describe("shutdown", () => {
  it("lets a running call finish", async () => {
    const gate = Promise.withResolvers<void>();
    let entered = false;
    const running = await startTestQuery({
      config: { shutdownGraceMs: 5000 },
      wrap: (store): ReadingStore => ({
        ...store,
        async readHorizon(signal) {
          entered = true;
          await gate.promise;
          return store.readHorizon(signal);
        },
      }),
    });
    running.memory.append([temperature("a")]);
    const call = running.client.getAggregates({});
    await waitUntil(() => entered);
    const closing = running.query.close();
    gate.resolve();
    expect((await call).rows).toHaveLength(1);
    await closing;
  });

  it("answers calls that exceed the grace period with UNAVAILABLE and RetryInfo, over every protocol", async () => {
    for (const place of transportsOf("http://127.0.0.1:0").keys()) {
      let stuck: ReturnType<typeof stuckStore> | undefined;
      const running = await startTestQuery({
        config: { shutdownGraceMs: 200 },
        wrap: (store) => {
          stuck = stuckStore(store);
          return stuck;
        },
      });
      const [name, transport] = transportsOf(running.baseUrl)[place]!;
      const failure = failureOf(createClient(QueryService, transport).getAggregates({}));
      await waitUntil(() => stuck?.waiting === 1);
      const closing = running.query.close();
      const error = await failure;
      expect([name, error.code, error.findDetails(RetryInfoSchema).length]).toEqual([
        name,
        Code.Unavailable,
        1,
      ]);
      await closing;
      expect(stuck?.waiting).toBe(0);
    }
  });

  it("reports NOT_SERVING and rejects new calls on old connections with UNAVAILABLE", async () => {
    let stuck: ReturnType<typeof stuckStore> | undefined;
    const running = await startTestQuery({
      config: { shutdownGraceMs: 1000 },
      wrap: (store) => {
        stuck = stuckStore(store);
        return stuck;
      },
    });
    const transport = createGrpcTransport({ baseUrl: running.baseUrl });
    const health = createClient(Health, transport).watch({})[Symbol.asyncIterator]();
    expect((await health.next()).value?.status).toBe(HealthCheckResponse_ServingStatus.SERVING);
    const failure = failureOf(createClient(QueryService, transport).getAggregates({}));
    await waitUntil(() => stuck?.waiting === 1);
    const closing = running.query.close();
    expect((await health.next()).value?.status).toBe(HealthCheckResponse_ServingStatus.NOT_SERVING);
    expect((await failureOf(createClient(QueryService, transport).getAggregates({}))).code).toBe(
      Code.Unavailable,
    );
    await failure;
    await closing;
  });

  it("frees the port, and may be closed twice", async () => {
    const running = await startTestQuery();
    const { port } = running.query;
    const closing = running.query.close();
    expect(running.query.close()).toBe(closing);
    await closing;
    await using again = await startTestQuery({ config: { port } });
    expect(again.query.port).toBe(port);
  });

  it("names the port that is in use", async () => {
    await using running = await startTestQuery();
    const { port } = running.query;
    await expect(startTestQuery({ config: { port } })).rejects.toThrow(PortInUseError);
    await expect(startTestQuery({ config: { port } })).rejects.toThrow(`127.0.0.1:${port}`);
  });
});
