import { Code, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { silentLogger } from "@devicemesh/kit/observability/logger";
import { PortInUseError } from "@devicemesh/kit/server/port-in-use-error";
import { loadSettings } from "@devicemesh/kit/settings/define-settings";
import { waitUntil } from "@devicemesh/kit/testing/test-helpers";
import { AggregatorService } from "@devicemesh/proto/es/devicemesh/v1/aggregator_service_pb.ts";
import { Health, HealthCheckResponse_ServingStatus } from "@devicemesh/proto/es/grpc/health/v1/health_pb.ts";
import { readContractImage } from "@devicemesh/proto/image";
import { describe, expect, it } from "vitest";
import { createMemoryWindowJob } from "../testing/memory-window-job.ts";
import { aggregatorSettings } from "./settings.ts";
import { startAggregator } from "./start.ts";

/** No server listens there: port 1 needs root. */
const nowhere = "127.0.0.1:1";

function start(port = 0) {
  const args = ["--port", `${port}`, "--mongodb-url", `mongodb://${nowhere}`, "--kafka-brokers", nowhere];
  const loaded = loadSettings(aggregatorSettings, { args, env: {} });
  if (loaded.kind !== "settings") throw new Error(loaded.text);
  return startAggregator(loaded.values, {
    logger: silentLogger(),
    clock: Date.now,
    image: readContractImage(),
    startWindowJob: createMemoryWindowJob,
  });
}

describe("an aggregator without engines", () => {
  it("listens, is not serving, and reports what it waits for", async () => {
    await using aggregator = await start();
    const transport = createGrpcTransport({ baseUrl: `http://127.0.0.1:${aggregator.port}` });
    const health = createClient(Health, transport);
    for (const service of ["", AggregatorService.typeName]) {
      const { status } = await health.check({ service });
      expect(status).toBe(HealthCheckResponse_ServingStatus.NOT_SERVING);
    }
    await waitUntil(() => aggregator.view().problems[0]?.includes("ECONNREFUSED") ?? false, {
      timeoutMs: 30_000,
      what: "the problem of MongoDB",
    });
    const call = createClient(AggregatorService, transport).getWindowJobStatus({});
    await expect(call).rejects.toMatchObject({
      code: Code.Unavailable,
      message: expect.stringContaining("waiting for mongodb: connect ECONNREFUSED"),
    });
  });

  it("closes soon while it still waits, also if closed twice", async () => {
    const aggregator = await start();
    await Promise.all([aggregator.close(), aggregator.close()]);
    await using again = await start(aggregator.port);
    expect(again.port).toBe(aggregator.port);
  });

  it("names a port that is taken", async () => {
    await using aggregator = await start();
    await expect(start(aggregator.port)).rejects.toThrow(PortInUseError);
  });
});
