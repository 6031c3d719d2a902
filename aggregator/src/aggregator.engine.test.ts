import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { testEngines } from "@devicemesh/engines/testing/test-engines";
import { silentLogger } from "@devicemesh/kit/observability/logger";
import { waitUntil } from "@devicemesh/kit/testing/test-helpers";
import { collections, type DuplicateWindowDocument, type PartialDocument } from "@devicemesh/pipeline";
import { alignDown } from "@devicemesh/proto";
import { AggregatorService } from "@devicemesh/proto/es/devicemesh/v1/aggregator_service_pb.ts";
import { Health, HealthCheckResponse_ServingStatus } from "@devicemesh/proto/es/grpc/health/v1/health_pb.ts";
import { describe, expect, it } from "vitest";
import { openAggregatorMesh } from "../testing/kafka-aggregator-mesh.engine.ts";
import { batchOf, createMemoryWindowJob } from "../testing/memory-window-job.ts";
import type { StartWindowJob } from "./active-aggregator.ts";
import { sparkWindowJob } from "./window-job/open-window-job.ts";

const engines = await testEngines();
const sizeMs = 2000;
const logger = silentLogger();
const slowly = { timeoutMs: 120_000 };

/** A job that reports at once that everything that arrived until now is folded; for tests that do not concern Spark. */
function boldJob(messageEnds: () => Promise<ReadonlyMap<number, number>>): StartWindowJob {
  return ({ onBatch, sinceOf }) => {
    const job = createMemoryWindowJob();
    const remembered = sinceOf(job.state().checkpoint);
    let batch = 0;
    const timer = setInterval(async () => {
      await remembered;
      const watermarkMs = Date.now();
      onBatch?.(batchOf({ batch: batch++, watermarkMs, endOffsets: await messageEnds() }));
    }, 200);
    return {
      ...job,
      async [Symbol.asyncDispose]() {
        clearInterval(timer);
      },
    };
  };
}

/** Starts main.ts as a process; resolves with its port. */
async function startProcess(args: readonly string[]) {
  const main = fileURLToPath(new URL("./main.ts", import.meta.url));
  const child = spawn(process.execPath, [main, ...args], { env: { PATH: process.env.PATH }, stdio: "pipe" });
  const lines = createInterface({ input: child.stdout });
  const [port] = await new Promise<number[]>((resolve, reject) => {
    lines.once("line", (line) => resolve([Number(/^listening on 127\.0\.0\.1:(\d+)$/.exec(line)?.[1])]));
    child.once("exit", (code) => reject(new Error(`ended with ${code}`)));
  });
  const transport = createGrpcTransport({ baseUrl: `http://127.0.0.1:${port}` });
  const health = createClient(Health, transport);
  return {
    child,
    status: createClient(AggregatorService, transport),
    async isServing(service: string): Promise<boolean> {
      const { status } = await health.check({ service });
      return status === HealthCheckResponse_ServingStatus.SERVING;
    },
    async [Symbol.asyncDispose]() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = new Promise((resolve) => child.once("exit", resolve));
      child.kill("SIGTERM");
      await ended;
    },
  };
}

describe.skipIf(!engines)("the aggregator on real engines", () => {
  if (!engines) return;
  it("reports a message as stored only after the sink has committed it", async () => {
    await using mesh = await openAggregatorMesh(engines, sizeMs);
    await using aggregator = await mesh.startWithJob(boldJob(mesh.messageEnds));
    const firstMs = await mesh.append("a", Date.now(), 1013);
    await waitUntil(async () => (await mesh.frontier()).completeThroughMs > firstMs, slowly);
    expect(await mesh.db.collection(collections.messages).countDocuments()).toBe(1);
    await waitUntil(async () => ((await mesh.frontier()).logEndMs ?? 0) >= firstMs, slowly);

    await mesh.connector("pause");
    const before = await mesh.frontier();
    const secondMs = await mesh.append("b", Date.now(), 1014, 1);
    const progress = aggregator.view().active?.progress;
    await waitUntil(() => (progress?.logEndMs ?? 0) >= secondMs, slowly);
    const ticked = progress?.tickedAtMs[1] ?? 0;
    await waitUntil(() => (progress?.tickedAtMs[1] ?? 0) > ticked + 2000, slowly);
    const paused = await mesh.frontier();
    expect(paused.completeThroughMs).toBeLessThanOrEqual(secondMs);
    expect(paused.frontierMs).toBeLessThanOrEqual(alignDown(Math.max(secondMs, before.frontierMs), sizeMs));

    await mesh.connector("resume");
    await waitUntil(async () => (await mesh.frontier()).frontierMs > secondMs, slowly);
    expect(await mesh.db.collection(collections.messages).countDocuments()).toBe(2);
  });

  it("moves the frontier when Spark's partials are stored, and repairs windows with duplicates", async () => {
    await using mesh = await openAggregatorMesh(engines, sizeMs);
    await using aggregator = await mesh.startWithJob(sparkWindowJob(mesh.config, logger));
    const startMs = alignDown(Date.now(), sizeMs) - 60_000;
    let lastMs = 0;
    for (let n = 0; n < 40; n++)
      lastMs = await mesh.append(`device-${n % 2}`, startMs + n * 100, 1013 + n, n % 2);
    await waitUntil(async () => (await mesh.frontier()).frontierMs > lastMs, slowly);
    const partials = await mesh.db.collection<PartialDocument>(collections.windows).find().toArray();
    expect(partials.reduce((count, partial) => count + Number(partial.count), 0)).toBe(40);
    const series = await mesh.db.collection(collections.series).find().sort({ device_id: 1 }).toArray();
    expect(series.map(({ device_id }) => device_id)).toEqual(["device-0", "device-1"]);

    // One duplicate and one conflict: neither counts.
    await mesh.append("device-0", startMs, 1013);
    lastMs = await mesh.append("device-0", startMs, 999);
    const duplicates = mesh.db.collection<DuplicateWindowDocument>(collections.duplicateWindows);
    await waitUntil(async () => (await duplicates.findOne({}))?.repair !== undefined, slowly);
    const [window, ...others] = await duplicates.find().toArray();
    expect(others).toEqual([]);
    expect(window).toMatchObject({
      device_id: "device-0",
      window_start: new Date(startMs),
      repair: { count: 10, minimum: 1013, first_value: 1013, maximum: 1031, sum: 10_220 },
    });
    expect(window?.repair?.through.getTime()).toBeGreaterThan(lastMs);
    expect(aggregator.view().problems).toEqual([]);
    const status = await mesh.db.collection(collections.status).findOne({ holder: aggregator.view().holder });
    expect(status).toMatchObject({ state: "RUNNING", rows_dropped: 0, problems: [] });
    expect(status?.lag).toBeGreaterThanOrEqual(0);
  });

  it("is taken over within ten seconds when its process is killed, and the query continues", async () => {
    await using mesh = await openAggregatorMesh(engines, sizeMs);
    await using first = await startProcess(mesh.args);
    const serviceName = AggregatorService.typeName;
    await waitUntil(() => first.isServing(serviceName), slowly);
    await using second = await startProcess(mesh.args);
    await waitUntil(() => second.isServing(""), slowly);
    expect(await second.isServing(serviceName)).toBe(false);
    const active = await first.status.getWindowJobStatus({});
    await waitUntil(async () => {
      const waiting = await second.status.getWindowJobStatus({});
      return !waiting.active && waiting.holder === active.holder;
    }, slowly);
    await waitUntil(
      async () => (await first.status.getWindowJobStatus({})).windowJob?.batch !== undefined,
      slowly,
    );

    first.child.kill("SIGKILL");
    await waitUntil(async () => (await second.status.getWindowJobStatus({})).active, { timeoutMs: 10_000 });
    const atMs = await mesh.append("a", Date.now(), 1013);
    await waitUntil(async () => (await mesh.frontier()).frontierMs > atMs, slowly);
    const taken = await second.status.getWindowJobStatus({});
    expect(taken).toMatchObject({ active: true, problems: [] });
    expect(taken.windowJob).toMatchObject({ checkpoint: active.windowJob?.checkpoint, restarts: 0n });
  });
});
