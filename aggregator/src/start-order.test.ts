import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { createLogger } from "@devicemesh/kit/observability/logger";
import { loadSettings } from "@devicemesh/kit/settings/define-settings";
import { SettingsError } from "@devicemesh/kit/settings/settings-error";
import { lateHost } from "@devicemesh/kit/testing/late-hosts-fixture";
import { waitUntil } from "@devicemesh/kit/testing/test-helpers";
import { startFakeMongo } from "@devicemesh/pipeline/testing/mongo-server-fixture";
import { defaultLevels } from "@devicemesh/proto";
import { Health } from "@devicemesh/proto/es/grpc/health/v1/health_pb.ts";
import { readContractImage } from "@devicemesh/proto/image";
import { expect, it } from "vitest";
import { createMemoryWindowJob } from "../testing/memory-window-job.ts";
import { aggregatorSettings } from "./settings.ts";
import { type Aggregator, startAggregator } from "./start.ts";

const settingsOfMesh: Record<string, unknown> = {
  _id: "mesh",
  levels: defaultLevels.map(({ windowMs, segmentMs }) => ({ window_ms: windowMs, segment_ms: segmentMs })),
  partitions: 1,
  retain_raw_ms: null,
};

async function start(mongodbUrl: string, lines: Record<string, unknown>[] = []): Promise<Aggregator> {
  const args = ["--port", "0", "--mongodb-url", mongodbUrl, "--kafka-brokers", "kafka-1.invalid:9092"];
  const loaded = loadSettings(aggregatorSettings, { args, env: {} });
  if (loaded.kind !== "settings") throw new Error(loaded.text);
  const destination = { write: (line: string) => lines.push(JSON.parse(line)) };
  return startAggregator(loaded.values, {
    logger: createLogger({ name: "aggregator", level: "info", destination }),
    clock: Date.now,
    image: readContractImage(),
    startWindowJob: createMemoryWindowJob,
  });
}

it("an aggregator finds database, settings and then Kafka, in whatever order they appear, and logs each once", async () => {
  using host = lateHost("mongo-1.example");
  const documents: Record<string, Record<string, unknown>[]> = {};
  const mongo = await startFakeMongo(0, documents);
  const lines: Record<string, unknown>[] = [];
  await using aggregator = await start(`mongodb://${host.name}:${mongo.port}`, lines);
  const transport = createGrpcTransport({ baseUrl: `http://127.0.0.1:${aggregator.port}` });
  const health = createClient(Health, transport);
  const waitsFor = (text: string) =>
    waitUntil(() => aggregator.view().problems[0]?.startsWith(`waiting for ${text}`) ?? false, {
      timeoutMs: 20_000,
      what: `it waits for ${text}`,
    });
  try {
    await waitsFor("mongodb: getaddrinfo ENOTFOUND mongo-1.example");
    host.appear();
    await waitsFor("settings: the operator has not written them yet");
    expect((await health.check({ service: "mongodb" })).status).toBe(1);
    expect((await health.check({ service: "settings" })).status).toBe(2);
    documents.settings = [settingsOfMesh];
    await waitsFor("kafka: ");
    expect((await health.check({ service: "settings" })).status).toBe(1);
    expect(aggregator.view().problems[0]).toContain("ENOTFOUND kafka-1.invalid");
    expect(lines.map(({ msg, dependency }) => [msg, dependency])).toEqual([
      ["waiting for dependency", "mongodb"],
      ["dependency available", "mongodb"],
      ["waiting for dependency", "settings"],
      ["dependency available", "settings"],
      ["waiting for dependency", "kafka"],
    ]);
    expect(JSON.stringify(lines)).not.toMatch(/\\n +at /);
  } finally {
    await mongo.stop();
  }
});

it("an aggregator with invalid settings fails at once", async () => {
  const mongo = await startFakeMongo(0, { settings: [{ ...settingsOfMesh, levels: [] }] });
  await using aggregator = await start(`mongodb://127.0.0.1:${mongo.port}`);
  await using _stopped = { [Symbol.asyncDispose]: () => mongo.stop() };
  await expect(aggregator.failed).rejects.toThrow("a mesh has at least one level");
});

it("an aggregator does not start with an invalid connection string", async () => {
  await expect(start("http://127.0.0.1")).rejects.toThrow(SettingsError);
});
