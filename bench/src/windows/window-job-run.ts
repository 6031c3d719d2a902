import { openKafkaTicks } from "@devicemesh/aggregator/log/kafka-ticks";
import { startLoop } from "@devicemesh/aggregator/loop";
import { startWindowJob } from "@devicemesh/aggregator/window-job/window-job";
import { openWindowSession } from "@devicemesh/aggregator/window-job/window-job-session";
import type { WindowPlanMeaning } from "@devicemesh/aggregator/window-job/window-plan";
import { createLogger } from "@devicemesh/kit/observability/logger";
import { createKafka } from "@devicemesh/pipeline/kafka-client";
import { type BatchRecord, createBatchRecord } from "./observed-batches.ts";

/** A window job under observation, with ticks like those of the aggregator. */
export type WindowJobRun = AsyncDisposable & {
  readonly record: BatchRecord;
  /** The next offsets that it reads, all partitions together. */
  read(): number;
  /** Messages that Spark dropped. */
  dropped(): number;
  /** The segments that end at or before it are in the topic of partials, ms since 1970. */
  watermarkMs(): number;
};

/** Starts it over the topics of `meaning`; without database and sinks. Disposing stops the query. */
export async function runWindowJob(options: {
  readonly brokers: readonly string[];
  readonly sparkUrl: string;
  /** CPU time of Spark, in ms. */
  readonly sparkCpuMs: () => number;
  readonly checkpoints: string;
  readonly meaning: WindowPlanMeaning;
}): Promise<WindowJobRun> {
  const { brokers, sparkUrl, sparkCpuMs, checkpoints, meaning } = options;
  const logger = createLogger({ name: "bench", level: "warn" });
  const { topic, partitions } = meaning;
  await using stack = new AsyncDisposableStack();
  const kafka = createKafka({ brokers, clientId: "devicemesh-bench" });
  const ticks = stack.use(await openKafkaTicks({ kafka, topic, partitions }));
  const appendTicks = async (): Promise<void> => {
    await ticks.appendRound();
  };
  const failed = (error: unknown): void => logger.warn({ error }, "a tick failed");
  stack.use(startLoop({ intervalMs: 1000, step: appendTicks, onFailure: failed }));
  const spark = stack.use(
    openWindowSession({ address: sparkUrl, topicPrefix: topic, database: "bench-windows" }),
  );
  const record = createBatchRecord({ now: Date.now, sparkCpuMs });
  const job = startWindowJob({
    spark,
    meaning,
    brokers,
    checkpoints,
    watermarkDelayMs: 0,
    sinceOf: async () => ({ sinceMs: 0, startingOffsets: new Map() }),
    onBatch: record.add,
    logger,
  });
  stack.defer(() => job.close({ stopQuery: true }));
  const running = stack.move();
  return {
    record,
    read: () => [...(job.progress()?.endOffsets.values() ?? [])].reduce((sum, next) => sum + next, 0),
    dropped: () => job.progress()?.rowsDropped ?? 0,
    watermarkMs: () => job.progress()?.watermarkMs ?? 0,
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}
