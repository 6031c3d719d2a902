import type { Logger } from "@devicemesh/kit/observability/logger";
import type { QueryRun, SparkClient } from "../spark/spark-client.ts";
import { queryEnded, SparkError } from "../spark/spark-error.ts";
import type { CheckpointStart } from "../store/aggregator-store.ts";
import { type BatchProgress, parseBatchProgress } from "./window-job-progress.ts";
import {
  checkpointIdentity,
  type WindowPlanMeaning,
  type WindowPlanRun,
  windowPlan,
  windowSessionSettings,
} from "./window-plan.ts";

/** The settings of the query. */
export type WindowSession = Omit<SparkClient, "explain" | typeof Symbol.asyncDispose>;

/** The query of one plan in a session. Each method rejects with SparkError. */
export type WindowQuery = {
  /** Identifies the checkpoint. */
  readonly checkpoint: string;
  /** Stops queries with other plans over the same topic; returns the run of this plan, if it runs. */
  find(): Promise<QueryRun | undefined>;
  /** Starts it from its checkpoint. */
  start(): Promise<QueryRun>;
  /**
   * Returns the batches of the run after `batch`, the oldest first, as far as Spark remembers them; at least the
   * newest.
   */
  batchesAfter(run: QueryRun, batch: number | undefined): Promise<readonly BatchProgress[]>;
  /** Resolves if the run continues. @throws SparkError of the kind "failed" with the reason why it ended. */
  expectActive(run: QueryRun): Promise<void>;
  /** Stops the query of this plan, if it runs. */
  stop(): Promise<void>;
};

/** Creates it without a request to Spark. */
export function createWindowQuery(options: {
  readonly spark: WindowSession;
  readonly meaning: WindowPlanMeaning;
  /** A folder or URI; each checkpoint is a folder in it. */
  readonly checkpoints: string;
  readonly run: Omit<WindowPlanRun, "checkpointLocation" | "queryName" | "sinceMs" | "startingOffsets">;
  sinceOf(checkpoint: string): Promise<CheckpointStart>;
  readonly logger: Logger;
}): WindowQuery {
  const { spark, meaning, checkpoints, logger } = options;
  const checkpoint = checkpointIdentity(meaning);
  const namePrefix = `windows of ${meaning.topic}, `;
  const queryName = `${namePrefix}${checkpoint}`;

  return {
    checkpoint,
    async find() {
      const active = (await spark.activeQueries()).filter(({ name }) => name.startsWith(namePrefix));
      for (const { run, name } of active) {
        if (name === queryName) continue;
        await spark.stopQuery(run);
        logger.info({ query: name }, "stopped a window job with other settings");
      }
      return active.find(({ name }) => name === queryName)?.run;
    },
    async start() {
      const { sinceMs, startingOffsets } = await options.sinceOf(checkpoint);
      await spark.configure(windowSessionSettings);
      const run = await spark.startQuery(
        windowPlan({
          ...meaning,
          ...options.run,
          checkpointLocation: `${checkpoints.replace(/\/+$/, "")}/${checkpoint}`,
          queryName,
          sinceMs,
          startingOffsets,
        }),
      );
      logger.info({ checkpoint, runId: run.runId, sinceMs }, "started the window job");
      return run;
    },
    async batchesAfter(run, batch) {
      const json = await spark.lastProgress(run);
      if (json === undefined) return [];
      const newest = parseBatchProgress(json);
      if (batch !== undefined && newest.batch <= batch + 1) return [newest];
      return (await spark.recentProgress(run)).map(parseBatchProgress);
    },
    async expectActive(run) {
      if (await spark.isActive(run)) return;
      const failure = await spark.failure(run);
      throw failure ? queryEnded(failure) : new SparkError("failed", "the query was stopped");
    },
    async stop() {
      const ours = (await spark.activeQueries()).find(({ name }) => name === queryName);
      if (ours) await spark.stopQuery(ours.run);
    },
  };
}
