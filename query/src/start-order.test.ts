import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { createLogger } from "@devicemesh/kit/observability/logger";
import { loadSettings } from "@devicemesh/kit/settings/define-settings";
import { closedPort, lateHost } from "@devicemesh/kit/testing/late-hosts-fixture";
import { temporaryFolder, waitUntil } from "@devicemesh/kit/testing/test-helpers";
import { startFakeMongo } from "@devicemesh/pipeline/testing/mongo-server-fixture";
import { defaultLevels } from "@devicemesh/proto";
import { QueryService } from "@devicemesh/proto/es/devicemesh/v1/query_service_pb.ts";
import { Health } from "@devicemesh/proto/es/grpc/health/v1/health_pb.ts";
import { describe, expect, it } from "vitest";
import { querySettings } from "./settings.ts";
import { startQueryProcess } from "./start-on-mongo.ts";

const settingsOfMesh: Record<string, unknown> = {
  _id: "mesh",
  levels: defaultLevels.map(({ windowMs, segmentMs }) => ({ window_ms: windowMs, segment_ms: segmentMs })),
  partitions: 1,
  retain_raw_ms: null,
};

async function start(mongodbUrl: string, ...flags: readonly string[]) {
  const lines: Record<string, unknown>[] = [];
  const loaded = loadSettings(querySettings, {
    args: ["--port", "0", "--mongodb-url", mongodbUrl, ...flags],
    env: {},
  });
  if (loaded.kind !== "settings") throw new Error(loaded.text);
  const destination = { write: (line: string) => lines.push(JSON.parse(line)) };
  const query = await startQueryProcess(loaded.values, {
    logger: createLogger({ name: "query", level: "info", destination }),
    clock: Date.now,
  });
  const transport = createGrpcTransport({ baseUrl: `http://127.0.0.1:${query.port}` });
  const health = createClient(Health, transport);
  return {
    lines,
    /** Returns the log lines about the database. */
    reported: () => lines.flatMap(({ dependency, msg, reason }) => (dependency ? [`${reason ?? msg}`] : [])),
    isServing: async () => (await health.check({ service: "" })).status === 1,
    ask: () => createClient(QueryService, transport).getAggregates({}),
    [Symbol.asyncDispose]: () => query.close(),
  };
}

// Both wait for retries of separate instances.
describe.concurrent("query that starts before its database", () => {
  it("serves by itself when the name resolves and the mesh is prepared, and logs each once", async () => {
    using host = lateHost("mongo-1.example");
    const documents: Record<string, Record<string, unknown>[]> = {};
    const mongo = await startFakeMongo(0, documents);
    await using _stopped = { [Symbol.asyncDispose]: () => mongo.stop() };
    await using query = await start(`mongodb://${host.name}:${mongo.port}`);
    await waitUntil(() => query.reported().length === 1, { timeoutMs: 20_000 });
    await expect(query.ask()).rejects.toThrow("the database is unavailable");
    expect(await query.isServing()).toBe(false);
    host.appear();
    await waitUntil(() => query.reported().length === 2, { timeoutMs: 20_000 });
    documents.settings = [settingsOfMesh];
    await waitUntil(query.isServing, { timeoutMs: 20_000, what: "it serves" });
    expect(query.reported()).toEqual([
      "getaddrinfo ENOTFOUND mongo-1.example",
      expect.stringContaining("the mesh's settings are not known yet"),
      "dependency available",
    ]);
    expect(JSON.stringify(query.lines)).not.toMatch(/\\n +at /);
    await query.ask();
  });

  it("serves by itself once the database listens", async () => {
    const port = await closedPort();
    await using query = await start(`mongodb://127.0.0.1:${port}`);
    await waitUntil(() => query.reported().length === 1, { timeoutMs: 20_000 });
    const mongo = await startFakeMongo(port, { settings: [settingsOfMesh] });
    await using _stopped = { [Symbol.asyncDispose]: () => mongo.stop() };
    await waitUntil(query.isServing, { timeoutMs: 20_000, what: "it serves" });
    expect(query.reported()).toEqual([expect.stringContaining("ECONNREFUSED"), "dependency available"]);
  });

  it("answers nothing while its sensors have other units than the mesh, and reports which", async () => {
    using folder = temporaryFolder();
    const file = join(folder.path, "sensors.yaml");
    await writeFile(file, 'sensors:\n  mood: { unit: "%", minimum: 0, maximum: 100 }\n');
    const unitsOfMesh = (unit: string) => [{ ...settingsOfMesh, sensor_units: [{ sensor: "mood", unit }] }];
    const documents = { settings: unitsOfMesh("smiles") };
    const mongo = await startFakeMongo(0, documents);
    await using _stopped = { [Symbol.asyncDispose]: () => mongo.stop() };
    await using query = await start(`mongodb://127.0.0.1:${mongo.port}`, "--sensors", file);
    await waitUntil(() => query.reported().length === 1, { timeoutMs: 20_000 });
    const conflict = "mood is recorded in smiles, not in %";
    expect(query.reported()).toEqual([expect.stringContaining(conflict)]);
    await expect(query.ask()).rejects.toThrow(conflict);
    expect(await query.isServing()).toBe(false);
    documents.settings = unitsOfMesh("%");
    await waitUntil(query.isServing, { timeoutMs: 20_000, what: "it serves" });
    await query.ask();
  });
});
