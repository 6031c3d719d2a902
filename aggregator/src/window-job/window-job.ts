import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "@devicemesh/kit/observability/logger";
import { jobCloseWaitMs } from "../limits.ts";
import type { QueryRun } from "../spark/spark-client.ts";
import { SparkError, toSparkError } from "../spark/spark-error.ts";
import type { CheckpointStart } from "../store/aggregator-store.ts";
import { type BatchProgress, createProgressTracker, type WindowJobProgress } from "./window-job-progress.ts";
import { createWindowQuery, type WindowSession } from "./window-job-query.ts";
import { type RestartDelays, restartDelayMs, restartDelays } from "./window-job-restarts.ts";
import type { WindowPlanMeaning } from "./window-plan.ts";

/** What is known of the job as a whole. */
export type WindowJobState = {
  /**
   * - starting: looked for, or started, and no batch is done yet
   * - running: it does batches
   * - stalled: it runs, but completes no batch although the log grows
   * - failed: it ended, and is started again after a while
   * - away: Spark cannot be reached; the query may run or not
   */
  readonly kind: "starting" | "running" | "stalled" | "failed" | "away";
  /** The last trouble, until a batch is done after it. */
  readonly error?: string;
  /** How long ago the last batch was seen, or the query was taken up if that is later, in ms. */
  readonly withoutBatchMs: number;
  /** How often the query was started again after it had ended. */
  readonly restarts: number;
  /** Identifies the checkpoint. */
  readonly checkpoint: string;
  readonly sparkVersion?: string;
};

/** The job that folds messages into partials of the finest level, watched. */
export type WindowJob = AsyncDisposable & {
  /** The newest known; undefined before the first. It stays while Spark is away: what was written is written. */
  progress(): WindowJobProgress | undefined;
  state(): WindowJobState;
  /**
   * Ends the watch. The query goes on, for the next aggregator to adopt, unless `stopQuery`. Does not wait
   * longer than two seconds for a Spark that does not answer. Twice is the same as once.
   */
  close(options?: { readonly stopQuery: boolean }): Promise<void>;
};

/** What the job needs. */
export type WindowJobOptions = {
  /** The session of the mesh; it stays the caller's: dispose it after the job is closed. */
  readonly spark: WindowSession;
  readonly meaning: WindowPlanMeaning;
  /** host:port of Kafka's brokers, as Spark reaches them. */
  readonly brokers: readonly string[];
  /** A folder or URI that Spark's driver and executors can write to; each checkpoint is a folder in it. */
  readonly checkpoints: string;
  /** How far append times may step back within a partition, in ms: how far the brokers' clocks may differ. */
  readonly watermarkDelayMs: number;
  /** From where on a checkpoint counts; asked before each start. */
  sinceOf(checkpoint: string): Promise<CheckpointStart>;
  /** Whether the log has messages that the last batch did not take. Without it a stalled query is not noticed. */
  readonly isLogAhead?: (() => boolean) | undefined;
  /** Told of each batch once, with its own figures. */
  readonly onBatch?: ((batch: BatchProgress) => void) | undefined;
  readonly logger: Logger;
  readonly intervals?: Partial<WindowJobIntervals>;
};

/** How fast things go. */
export type WindowJobIntervals = {
  /** The most messages of a partition in one batch. */
  readonly maxOffsetsPerTrigger: number;
  /** How often a batch starts, in ms. */
  readonly triggerMs: number;
  /** How often the query is looked at, in ms. */
  readonly pollMs: number;
  /** How often Spark is looked for while it is away, in ms. */
  readonly awayMs: number;
  readonly restarts: RestartDelays;
  /** After how long without a batch a running query is stalled, in ms. */
  readonly stalledMs: number;
  /** After how long without a batch a stalled query is stopped and started again, in ms. */
  readonly stalledRestarts: RestartDelays;
};

/**
 * By default. 50,000 messages of a partition keep a batch within seconds after an outage; looking every second
 * is what the frontier is late by at most, and costs Spark little.
 */
export const windowJobPace: WindowJobIntervals = {
  maxOffsetsPerTrigger: 50_000,
  triggerMs: 1000,
  pollMs: 1000,
  awayMs: 2000,
  restarts: restartDelays,
  stalledMs: 30_000,
  // The largest batch takes a loaded machine a minute or two; a restart would only have it begin again.
  stalledRestarts: { firstMs: 300_000, mostMs: 3_600_000 },
};

/**
 * Keeps the window job running: adopts the query of this meaning if it runs in the session, stops those of
 * another meaning, starts it from its checkpoint if it does not run, and again whenever it has ended or stalls.
 */
export function startWindowJob(options: WindowJobOptions): WindowJob {
  const { spark, meaning, checkpoints, watermarkDelayMs, brokers, logger } = options;
  const intervals = { ...windowJobPace, ...options.intervals };
  const { maxOffsetsPerTrigger, triggerMs } = intervals;
  const query = createWindowQuery({
    spark,
    meaning,
    checkpoints,
    run: { brokers, watermarkDelayMs, maxOffsetsPerTrigger, triggerMs },
    sinceOf: options.sinceOf,
    logger,
  });
  const tracker = createProgressTracker();
  const closing = new AbortController();
  let kind: WindowJobState["kind"] = "starting";
  let error: string | undefined;
  let sparkVersion: string | undefined;
  let run: QueryRun | undefined;
  let starts = 0;
  let failures = 0;
  let stalls = 0;
  let lifeAtMs = performance.now();
  const withoutBatchMs = (): number => performance.now() - lifeAtMs;
  const isLogAhead = options.isLogAhead ?? (() => false);

  async function takeUp(): Promise<QueryRun> {
    sparkVersion = await spark.sparkVersion();
    const found = await query.find();
    if (found) logger.info({ checkpoint: query.checkpoint, runId: found.runId }, "adopted the window job");
    const taken = found ?? (await query.start());
    kind = "starting";
    lifeAtMs = performance.now();
    if (!found || starts === 0) starts += 1;
    return taken;
  }

  async function look(taken: QueryRun): Promise<void> {
    const batches = await query.batchesAfter(taken, tracker.progress?.batch);
    const added = batches.filter((batch) => tracker.add(batch));
    for (const batch of added) options.onBatch?.(batch);
    // A batch that was just done speaks for the query.
    if (added.length === 0) {
      await query.expectActive(taken);
      return endIfStalled(taken);
    }
    kind = "running";
    lifeAtMs = performance.now();
    error = undefined;
    failures = 0;
    stalls = 0;
  }

  /** Spark may lose a task with the process that ran it, and wait for it forever: only a new start helps then. */
  async function endIfStalled(taken: QueryRun): Promise<void> {
    const limitMs = restartDelayMs(
      { error: new SparkError("failed", ""), failures: stalls + 1 },
      intervals.stalledRestarts,
    );
    if (!isLogAhead() || withoutBatchMs() < limitMs) return;
    stalls += 1;
    const seconds = Math.round(withoutBatchMs() / 1000);
    await spark.stopQuery(taken);
    throw new SparkError("failed", `no batch for ${seconds} s although the log grows`);
  }

  /** What to do about it: how long to wait before the next step. */
  function troubled(thrown: unknown): number {
    run = undefined;
    if (closing.signal.aborted) return 0;
    const trouble = toSparkError(thrown);
    const { message, trace } = trouble;
    error = message;
    if (trouble.kind === "away") {
      // Whoever watches the state tells it, once.
      kind = "away";
      return intervals.awayMs;
    }
    kind = "failed";
    failures += 1;
    const delayMs = restartDelayMs({ error: trouble, failures }, intervals.restarts);
    logger.warn({ error: trouble, trace, failures, delayMs }, "the window job ended");
    return delayMs;
  }

  async function step(): Promise<number> {
    try {
      if (run) await look(run);
      else run = await takeUp();
      return intervals.pollMs;
    } catch (thrown) {
      return troubled(thrown);
    }
  }

  async function watch(): Promise<void> {
    while (!closing.signal.aborted) {
      const waitMs = await step();
      await delay(waitMs, undefined, { signal: closing.signal }).catch(() => undefined);
    }
  }

  const watching = watch();

  async function end(stopQuery: boolean): Promise<void> {
    closing.abort();
    const waited = new AbortController();
    const limit = delay(jobCloseWaitMs, undefined, { signal: waited.signal }).catch(() => undefined);
    await Promise.race([watching, limit]);
    waited.abort();
    if (stopQuery) await query.stop();
  }

  let closed: Promise<void> | undefined;
  const close: WindowJob["close"] = ({ stopQuery } = { stopQuery: false }) => {
    closed ??= end(stopQuery);
    return closed;
  };
  return {
    progress: () => tracker.progress,
    state: () => ({
      kind: kind === "running" && isLogAhead() && withoutBatchMs() > intervals.stalledMs ? "stalled" : kind,
      withoutBatchMs: withoutBatchMs(),
      ...(error === undefined ? {} : { error }),
      restarts: Math.max(starts - 1, 0),
      checkpoint: query.checkpoint,
      ...(sparkVersion === undefined ? {} : { sparkVersion }),
    }),
    close,
    [Symbol.asyncDispose]: () => close(),
  };
}
