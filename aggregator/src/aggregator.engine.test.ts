import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { testEngines } from "@devicemesh/engines/testing/test-engines";
import { silentLogger } from "@devicemesh/kit/observability/logger";
import { loadSettings } from "@devicemesh/kit/settings/define-settings";
import { waitUntil } from "@devicemesh/kit/testing/test-helpers";
import { operatorSettings, startOperator } from "@devicemesh/operator";
import { meshDefinition, removeMesh } from "@devicemesh/operator/testing/prepare-mesh";
import { collections, type PartialDocument, type WindowRepeatsDocument } from "@devicemesh/pipeline";
import { createKafka } from "@devicemesh/pipeline/kafka-client";
import { openMongo } from "@devicemesh/pipeline/mongo-client";
import { alignDown, isoMilliseconds } from "@devicemesh/proto";
import { AggregatorService } from "@devicemesh/proto/es/devicemesh/v1/aggregator_service_pb.ts";
import { Health, HealthCheckResponse_ServingStatus } from "@devicemesh/proto/es/grpc/health/v1/health_pb.ts";
import { readContractImage } from "@devicemesh/proto/image";
import { describe, expect, it } from "vitest";
import { batchOf, createMemoryWindowJob } from "../testing/memory-window-job.ts";
import type { StartWindowJob } from "./active-aggregator.ts";
import { type AggregatorConfig, aggregatorSettings } from "./settings.ts";
import { startAggregator } from "./start.ts";
import { sparkWindowJob } from "./window-job/open-window-job.ts";
import { openWindowSession } from "./window-job/window-job-session.ts";

const engines = await testEngines();
const sizeMs = 2000;
const logger = silentLogger();
const clock = Date.now;
const image = readContractImage();
const slowly = { timeoutMs: 120_000 };

/** A separate mesh with an operator that maintains it and reads its dead letters. */
async function openMesh() {
  if (!engines) throw new Error("no engines");
  const name = `aggregator-test-${randomBytes(4).toString("hex")}`;
  const options = {
    kafkaBrokers: engines.kafkaBrokers,
    connectUrl: engines.connectUrl,
    mongodbUrl: engines.mongodbUrl,
    prefix: `${name}.`,
    database: name,
    partitions: 2,
    replication: engines.brokers,
    windowMs: sizeMs,
    segmentMs: sizeMs,
  };
  const shared = [
    ...["--kafka-brokers", engines.kafkaBrokers.join(","), "--mongodb-url", engines.mongodbUrl],
    ...["--topic-prefix", options.prefix, "--mongodb-database", name, "--port", "0"],
  ];
  await using opened = new AsyncDisposableStack();
  opened.defer(() => removeMesh(options));
  const operator = loadSettings(operatorSettings, {
    args: [
      ...shared,
      ...["--connect-url", engines.connectUrl, "--partitions", "2", "--replication", `${engines.brokers}`],
      ...["--window", `${sizeMs}ms`, "--segment", `${sizeMs}ms`],
    ],
    env: {},
  });
  if (operator.kind !== "settings") throw new Error(operator.text);
  opened.use(await startOperator(operator.values, { logger, clock, image }));
  const { db } = opened.use(openMongo({ url: engines.mongodbUrl, database: name, appName: "test" }));
  const kafka = createKafka({ brokers: engines.kafkaBrokers, clientId: "test" });
  const producer = kafka.producer({ allowAutoTopicCreation: false });
  await producer.connect();
  opened.defer(() => producer.disconnect());
  const args = [...shared, "--spark-url", engines.sparkUrl, "--checkpoints", `${engines.folder}/${name}`];
  const loaded = loadSettings(aggregatorSettings, { args, env: {} });
  if (loaded.kind !== "settings") throw new Error(loaded.text);
  const config: AggregatorConfig = loaded.values;
  // Otherwise the query would outlive its mesh.
  opened.defer(() => stopQueries(config));
  const { names } = meshDefinition(options);
  const running = opened.move();

  return {
    args,
    config,
    db,
    names,
    startWithJob: (startWindowJob: StartWindowJob) =>
      startAggregator(config, { logger, clock, image, startWindowJob }),
    /** Appends a pressure; resolves with its append time. */
    async append(deviceId: string, timestampMs: number, value: number, partition = 0): Promise<number> {
      const timestamp = isoMilliseconds(timestampMs);
      const [result] = await producer.send({
        topic: names.topics.messages,
        acks: -1,
        messages: [
          {
            partition,
            key: `${deviceId}|pressure|${timestamp}`,
            value: JSON.stringify({ device_id: deviceId, timestamp, sensor: "pressure", value }),
          },
        ],
      });
      return Number(result?.logAppendTime);
    },
    async connector(action: "pause" | "resume"): Promise<void> {
      const url = `${engines.connectUrl}/connectors/${names.connectors.messages}`;
      await fetch(`${url}/${action}`, { method: "PUT" });
      const wanted = action === "pause" ? "PAUSED" : "RUNNING";
      await waitUntil(async () => {
        const status = (await (await fetch(`${url}/status`)).json()) as {
          tasks: { state: string }[];
        };
        return status.tasks.length > 0 && status.tasks.every(({ state }) => state === wanted);
      }, slowly);
    },
    async frontier() {
      const found = await db.collection(collections.frontier).findOne({});
      return {
        completeThroughMs: (found?.complete_through as Date | undefined)?.getTime() ?? 0,
        frontierMs: (found?.frontiers as Date[] | undefined)?.[0]?.getTime() ?? 0,
        logEndMs: (found?.log_end as Date | null | undefined)?.getTime(),
      };
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

async function stopQueries(config: AggregatorConfig): Promise<void> {
  await using spark = openWindowSession({
    address: config.sparkUrl,
    topicPrefix: config.topicPrefix,
    database: config.mongodbDatabase,
  });
  for (const { run } of await spark.activeQueries()) await spark.stopQuery(run);
}

/** A job that reports at once that everything that arrived until now is folded; for tests that do not concern Spark. */
function boldJob(): StartWindowJob {
  return ({ onBatch, sinceOf }) => {
    const job = createMemoryWindowJob();
    const remembered = sinceOf(job.state().checkpoint);
    let batch = 0;
    const timer = setInterval(async () => {
      await remembered;
      onBatch?.(batchOf({ batch: batch++, watermarkMs: Date.now() }));
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
  it("reports a message as stored only after the sink has committed it", async () => {
    await using mesh = await openMesh();
    await using aggregator = await mesh.startWithJob(boldJob());
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
    await using mesh = await openMesh();
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
    const repeats = mesh.db.collection<WindowRepeatsDocument>(collections.windowRepeats);
    await waitUntil(async () => (await repeats.findOne({}))?.repair !== undefined, slowly);
    const [window, ...others] = await repeats.find().toArray();
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
    await using mesh = await openMesh();
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
