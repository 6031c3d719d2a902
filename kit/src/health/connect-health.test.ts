import { Code, createClient } from "@connectrpc/connect";
import { connectNodeAdapter, createConnectTransport, createGrpcTransport } from "@connectrpc/connect-node";
import {
  HealthCheckResponse_ServingStatus,
  Health as HealthService,
} from "@devicemesh/proto/es/grpc/health/v1/health_pb.ts";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { startOnePortServer } from "../server/one-port-server.ts";
import type { RunningServer } from "../server/running-server.ts";
import { addHealthRoutes } from "./connect-health.ts";
import { createHealth, type Health } from "./health.ts";

const { SERVING, NOT_SERVING, SERVICE_UNKNOWN } = HealthCheckResponse_ServingStatus;

describe("addHealthRoutes", () => {
  let health: Health;
  let server: RunningServer;

  beforeEach(async () => {
    health = createHealth(["a.B"]);
    server = await startOnePortServer({
      host: "127.0.0.1",
      port: 0,
      handler: connectNodeAdapter({ routes: (router) => addHealthRoutes(router, health) }),
      // Longer than the time limit of a test: closing must not wait for it.
      shutdownGraceMs: 600_000,
      onClosing: () => health.close(),
    });
  });
  afterEach(() => server.close());

  const clients = () => {
    const baseUrl = `http://127.0.0.1:${server.port}`;
    return [
      createClient(HealthService, createGrpcTransport({ baseUrl })),
      createClient(HealthService, createConnectTransport({ baseUrl, httpVersion: "1.1" })),
    ];
  };

  it("answers Check and List", async () => {
    health.setServing(false, "a.B");
    for (const client of clients()) {
      expect((await client.check({})).status).toBe(SERVING);
      expect((await client.check({ service: "a.B" })).status).toBe(NOT_SERVING);
      await expect(client.check({ service: "a.C" })).rejects.toMatchObject({ code: Code.NotFound });
      const { statuses } = await client.list({});
      expect([statuses[""]?.status, statuses["a.B"]?.status]).toEqual([SERVING, NOT_SERVING]);
    }
  });

  it("answers Watch with the status at once and each change, and ends when the server closes", async () => {
    const watchers = clients().map((client) => client.watch({ service: "a.B" })[Symbol.asyncIterator]());
    for (const watcher of watchers) {
      expect(await watcher.next()).toMatchObject({ value: { status: SERVING } });
    }
    health.setServing(false);
    for (const watcher of watchers) {
      expect(await watcher.next()).toMatchObject({ value: { status: NOT_SERVING } });
    }
    await Promise.all([server.close(), ...watchers.map((watcher) => watcher.next())]);
  });

  it("answers Watch of an unknown service with SERVICE_UNKNOWN", async () => {
    for (const client of clients()) {
      const watcher = client.watch({ service: "a.C" })[Symbol.asyncIterator]();
      expect(await watcher.next()).toMatchObject({ value: { status: SERVICE_UNKNOWN } });
      await watcher.return?.();
    }
  });
});
