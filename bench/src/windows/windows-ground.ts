import { rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { startEngines } from "@devicemesh/engines";
import { topicDefinitions } from "@devicemesh/operator";
import { meshDefinition } from "@devicemesh/operator/testing/prepare-mesh";
import { alignUp } from "@devicemesh/proto";
import { fleet, startLoadOn } from "../ingest/ingest-peers.ts";
import { openBenchTopics } from "../mesh/kafka-bench-topics.ts";
import { pollUntil } from "../mesh/poll-until.ts";
import { cpuMs } from "../report/process-usage.ts";
import { startServerProcess } from "../servers/server-process.ts";
import { type LivePart, observeLive } from "./live-part.ts";
import type { BatchRecord } from "./observed-batches.ts";
import { runWindowJob, type WindowJobRun } from "./window-job-run.ts";

/** One broker, Spark, and ingest, with topics of their own. */
export type WindowsGround = AsyncDisposable & {
  readonly partitions: number;
  /** The port of ingest. */
  readonly port: number;
  /** Appends readings at full speed: a multiple of 4000. */
  append(readings: number): Promise<void>;
  /** Starts the window job, and the ticks. */
  startJob(): Promise<BatchRecord>;
  /** Number of records that the job has not read. */
  lag(): Promise<number>;
  /** The process of Spark. */
  readonly sparkPid: number;
  /** CPU time of Spark, in ms. */
  sparkCpuMs(): number;
  observe(work: () => Promise<unknown>): Promise<LivePart>;
  /** Waits for the last segment. @throws Error if the partials do not count exactly these readings. */
  expectCounted(readings: number): Promise<void>;
};

const partitions = 4;
const sizes = { windowMs: 10_000, segmentMs: 10_000 } as const;

/** Where a window job runs. */
export type WindowJobPlace = Omit<Parameters<typeof runWindowJob>[0], "sparkCpuMs"> & {
  /** The process of Spark. */
  readonly sparkPid: number;
};

/** Starts everything but the job. @throws the error of what does not start. */
export async function openWindowsGround(options: {
  readonly folder: string;
  /** Starts the job; by default in this process. */
  readonly runJob?: (place: WindowJobPlace) => Promise<WindowJobRun>;
  readonly progress: (line: string) => void;
  readonly signal: AbortSignal;
}): Promise<WindowsGround> {
  const { folder, progress, signal } = options;
  const runJob =
    options.runJob ??
    (({ sparkPid, ...place }) => runWindowJob({ ...place, sparkCpuMs: () => cpuMs(sparkPid) }));
  const checkpoints = join(folder, "checkpoints");
  rmSync(checkpoints, { recursive: true, force: true });
  await using stack = new AsyncDisposableStack();
  const engines = stack.use(
    await startEngines({
      folder: join(folder, "engines"),
      fresh: true,
      parts: ["kafka", "spark"],
      signal,
      onProgress: ({ engine, text, ready }) => {
        if (ready) progress(`${engine} ${text}`);
      },
    }),
  );
  const { kafkaBrokers: brokers, sparkUrl } = engines.addresses;
  const sparkPid = (await engines.status()).find(({ name }) => name === "spark")?.processId;
  if (sparkPid === undefined) throw new Error("Spark does not run");
  const sparkCpuMs = (): number => cpuMs(sparkPid);
  const topics = stack.use(await openBenchTopics(brokers));
  const mesh = { ...engines.addresses, prefix: "bench-windows-", database: "bench", partitions };
  const [messages, windows] = topicDefinitions(meshDefinition(mesh));
  if (!messages || !windows) throw new Error("a mesh without topics");
  await topics.create([messages, windows]);
  const program = fileURLToPath(new URL("../servers/kafka-ingest-server.ts", import.meta.url));
  const args = [program, "ours", brokers.join(","), messages.topic, String(partitions)];
  const ingest = stack.use(await startServerProcess({ command: process.execPath, args }));
  let job: WindowJobRun | undefined;
  const running = (): WindowJobRun => {
    if (!job) throw new Error("the job is not started");
    return job;
  };
  const lag = async (): Promise<number> => (await topics.countRecords(messages.topic)) - running().read();
  const owned = stack.move();
  return {
    partitions,
    port: ingest.port,
    async append(readings) {
      const load = await startLoadOn("ours", ingest.port, readings / fleet.gateways / fleet.readingsPerFrame);
      const appended = await load.run(0).finally(load.close);
      if (appended !== readings) throw new Error(`${appended} readings were acknowledged, not ${readings}`);
    },
    async startJob() {
      const meaning = { topic: messages.topic, outputTopic: windows.topic, partitions, ...sizes };
      job = owned.use(await runJob({ brokers, sparkUrl, sparkPid, checkpoints, meaning }));
      return job.record;
    },
    lag,
    sparkPid,
    sparkCpuMs,
    observe: (work) =>
      observeLive(work, {
        batches: running().record.batches,
        sparkCpuMs,
        lag,
        onFailure: (error) => progress(`the lag is not known: ${error}`),
      }),
    async expectCounted(readings) {
      const endMs = alignUp(Date.now(), sizes.segmentMs);
      await pollUntil({
        what: "the last segment is written",
        limitMs: 60_000,
        everyMs: 200,
        signal,
        poll: async () => (running().watermarkMs() >= endMs ? true : undefined),
      });
      const counted = await topics.sumCounts(windows.topic);
      const dropped = running().dropped();
      if (counted === readings && dropped === 0) return;
      throw new Error(`${readings} readings were acknowledged; ${counted} are counted, ${dropped} dropped`);
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
