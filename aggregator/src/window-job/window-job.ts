import { setTimeout as delay } from "node:timers/promises";
import type { Backoff } from "@devicemesh/kit/lifetime/backoff";
import { closeOnce } from "@devicemesh/kit/lifetime/close-once";
import type { Logger } from "@devicemesh/kit/observability/logger";
import { jobCloseWaitMs } from "../limits.ts";
import type { QueryRun } from "../spark/spark-client.ts";
import { SparkError, toSparkError } from "../spark/spark-error.ts";
import type { CheckpointStart } from "../store/aggregator-store.ts";
import { type BatchProgress, createProgressTracker, type WindowJobProgress } from "./window-job-progress.ts";
import { createWindowQuery, type WindowSession } from "./window-job-query.ts";
import { restartDelayMs, restartDelays } from "./window-job-restarts.ts";
import type { WindowPlanMeaning } from "./window-plan.ts";

/** The state of the job. */
export type WindowJobState = {
  /**
   * - starting: its query is being found or started; no batch is done yet
   * - running: it completes batches
   * - stalled: it runs, but completes no batch although the log grows
   * - failed: it ended, and is restarted after a delay
   * - unavailable: Spark is unreachable; the query may be running
   */
  readonly kind: "starting" | "running" | "stalled" | "failed" | "unavailable";
  /** The last failure, until a batch is done after it. */
  readonly error?: string;
  /** Time since the last batch was observed, or since the query was started or adopted if that is later, in ms. */
  readonly withoutBatchMs: number;
  /** Number of restarts of the query after it had ended. */
  readonly restarts: number;
  /** Identifies the checkpoint. */
  readonly checkpoint: string;
  readonly sparkVersion?: string;
};

/** The job that folds messages into partials of the finest level, and its supervision. */
export type WindowJob = AsyncDisposable & {
  /**
   * The newest known progress; undefined before the first. It stays while Spark is unavailable, because written
   * partials stay.
   */
  progress(): WindowJobProgress | undefined;
  state(): WindowJobState;
  /**
   * Ends the supervision. The query keeps running for the next aggregator, unless `stopQuery`. Waits at most two
   * seconds for a Spark that does not answer. Closing again has no effect.
   */
  close(options?: { readonly stopQuery: boolean }): Promise<void>;
};

/** The dependencies and settings of the job. */
export type WindowJobOptions = {
  /** The session of the mesh. The caller owns it and disposes of it after the job is closed. */
  readonly spark: WindowSession;
  readonly meaning: WindowPlanMeaning;
  /** host:port of Kafka's brokers, as Spark reaches them. */
  readonly brokers: readonly string[];
  /** How Spark's Kafka clients connect; see WindowPlanRun. */
  readonly kafkaOptions?: Readonly<Record<string, string>> | undefined;
  /** A folder or URI that Spark's driver and executors can write to; each checkpoint is a folder in it. */
  readonly checkpoints: string;
  /**
   * Largest backward step of append times within a partition, in ms: the largest difference between the brokers'
   * clocks.
   */
  readonly watermarkDelayMs: number;
  /** Returns the start of a checkpoint; called before each start. */
  sinceOf(checkpoint: string): Promise<CheckpointStart>;
  /** Whether the log has messages that the last batch did not read. Without it, a stalled query is not detected. */
  readonly isLogAhead?: (() => boolean) | undefined;
  /** Whether a batch that closes a segment is expected, by the last known watermark: then Spark is polled often. */
  readonly isSegmentDue?: ((watermarkMs: number | undefined) => boolean) | undefined;
  /** Called once for each batch, with its own figures. */
  readonly onBatch?: ((batch: BatchProgress) => void) | undefined;
  readonly logger: Logger;
  readonly intervals?: Partial<WindowJobIntervals>;
};

/** The rates and intervals of the job. */
export type WindowJobIntervals = {
  /** Maximum number of messages of a partition in one batch. */
  readonly maxOffsetsPerTrigger: number;
  /** Interval between the starts of batches, in ms. */
  readonly triggerMs: number;
  /** Interval at which the query is polled, in ms. */
  readonly pollMs: number;
  /** The same while a segment is due, or a quarter of the last batch's time if that is longer. */
  readonly duePollMs: number;
  /** Interval between attempts to reach Spark while it is unavailable, in ms. */
  readonly unavailableMs: number;
  readonly restarts: Backoff;
  /** A running query without a batch for this time is stalled, in ms. */
  readonly stalledMs: number;
  /** A stalled query without a batch for this time is restarted, in ms. */
  readonly stalledRestarts: Backoff;
};

/**
 * The defaults. 50,000 messages of a partition keep a batch within seconds after an outage. A poll costs Spark little;
 * only the batches that close a segment are waited for.
 */
export const windowJobIntervals: WindowJobIntervals = {
  maxOffsetsPerTrigger: 50_000,
  triggerMs: 1000,
  pollMs: 1000,
  duePollMs: 100,
  unavailableMs: 2000,
  restarts: restartDelays,
  stalledMs: 30_000,
  // The largest batch takes a loaded machine a minute or two; a restart would only make it begin again.
  stalledRestarts: { firstMs: 300_000, longestMs: 3_600_000 },
};

/**
 * Keeps the window job running: adopts the query of this plan if it runs in the session, stops queries with other
 * plans, starts it from its checkpoint if it does not run, and restarts it whenever it has ended or stalled.
 */
export function startWindowJob(options: WindowJobOptions): WindowJob {
  const { spark, meaning, checkpoints, watermarkDelayMs, brokers, kafkaOptions, logger } = options;
  const intervals = { ...windowJobIntervals, ...options.intervals };
  const { maxOffsetsPerTrigger, triggerMs } = intervals;
  const query = createWindowQuery({
    spark,
    meaning,
    checkpoints,
    run: { brokers, kafkaOptions, watermarkDelayMs, maxOffsetsPerTrigger, triggerMs },
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

  async function observe(taken: QueryRun): Promise<void> {
    const batches = await query.batchesAfter(taken, tracker.progress?.batch);
    const added = batches.filter((batch) => tracker.add(batch));
    for (const batch of added) options.onBatch?.(batch);
    // A new batch proves that the query works.
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

  /** If the process of a task dies, Spark may wait for the task forever: only a restart helps then. */
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

  /** Chooses the delay before the next step. */
  function troubled(thrown: unknown): number {
    run = undefined;
    if (closing.signal.aborted) return 0;
    const trouble = toSparkError(thrown);
    const { message, trace } = trouble;
    error = message;
    if (trouble.kind === "unavailable") {
      // The observer of the state reports it once.
      kind = "unavailable";
      return intervals.unavailableMs;
    }
    kind = "failed";
    failures += 1;
    const delayMs = restartDelayMs({ error: trouble, failures }, intervals.restarts);
    logger.warn({ error: trouble, trace, failures, delayMs }, "the window job ended");
    return delayMs;
  }

  function nextPollMs(): number {
    const { pollMs, duePollMs } = intervals;
    const { watermarkMs, batchMs = 0 } = tracker.progress ?? {};
    if (!options.isSegmentDue?.(watermarkMs)) return pollMs;
    return Math.min(Math.max(batchMs / 4, duePollMs), pollMs);
  }

  async function step(): Promise<number> {
    try {
      if (run) await observe(run);
      else run = await takeUp();
      return nextPollMs();
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

  const close = closeOnce(async ({ stopQuery } = { stopQuery: false }) => {
    closing.abort();
    const waited = new AbortController();
    const limit = delay(jobCloseWaitMs, undefined, { signal: waited.signal }).catch(() => undefined);
    await Promise.race([watching, limit]);
    waited.abort();
    if (stopQuery) await query.stop();
  });

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
