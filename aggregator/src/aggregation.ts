import { setTimeout as delay } from "node:timers/promises";
import type { Dependencies } from "@devicemesh/kit/health/dependency-health";
import { createFailureLog } from "@devicemesh/kit/health/failure-log";
import type { Logger } from "@devicemesh/kit/observability/logger";
import { listOf } from "@devicemesh/kit/settings/list-of";
import { chainNames } from "@devicemesh/pipeline";
import { createKafka } from "@devicemesh/pipeline/kafka-client";
import { kafkaSecurityOf } from "@devicemesh/pipeline/kafka-security";
import { openMongo } from "@devicemesh/pipeline/mongo-client";
import { type ActiveAggregator, type StartWindowJob, startActive } from "./active-aggregator.ts";
import { createKafkaLogReader } from "./late-appends/kafka-log-reader.ts";
import { type Election, leaseTimes, startElection } from "./leadership/leader-election.ts";
import { createMongoLease } from "./leadership/mongo-lease.ts";
import { createMongoFrontier } from "./levels/mongo-frontier.ts";
import { closeMaxMs, watchIntervalMs } from "./limits.ts";
import { openKafkaOffsets } from "./log/kafka-offsets.ts";
import { openKafkaTicks } from "./log/kafka-ticks.ts";
import { observedOffsets } from "./log/log-access.ts";
import { startLoop } from "./loop.ts";
import { retrying } from "./retrying.ts";
import type { AggregatorView } from "./service.ts";
import type { AggregatorConfig } from "./settings.ts";
import type { MeshSettings, PublishedFrontier } from "./store/aggregator-store.ts";
import { createMongoStore } from "./store/mongo-store.ts";
import type { BatchProgress } from "./window-job/window-job-progress.ts";

/** The dependencies of an aggregator, as health and log name them; the operator writes the settings. */
export const aggregatorNeeds = ["mongodb", "settings", "kafka", "spark"] as const;

export type AggregatorNeed = (typeof aggregatorNeeds)[number];

/** The work of an aggregator besides serving. */
export type Aggregation = AsyncDisposable & {
  view(): AggregatorView;
  /** Rejects with the reason if it cannot continue and a retry would not help. */
  readonly failed: Promise<never>;
  /** Whether its dependencies are available, and it is the leader or could become it. */
  readonly isReady: boolean;
};

/**
 * Connects to all dependencies, waits for those that are unavailable and for the operator's settings, and joins the
 * leader election. Disposing ends all work and leaves the query running in Spark.
 * @throws SettingsError if the connection string of MongoDB is not valid.
 */
export function startAggregation(
  config: AggregatorConfig,
  dependencies: {
    /** A unique name in the whole mesh. */
    readonly holder: string;
    readonly startWindowJob: StartWindowJob;
    readonly onBatch?: ((batch: BatchProgress) => void) | undefined;
    readonly waiting: Dependencies<AggregatorNeed>;
    readonly logger: Logger;
    /** Ms since 1970. */
    readonly clock: () => number;
  },
): Aggregation {
  const { holder, startWindowJob, onBatch, waiting, logger, clock } = dependencies;
  const names = chainNames({ prefix: config.topicPrefix, database: config.mongodbDatabase });
  const stopping = new AbortController();
  const { signal } = stopping;
  const mongo = openMongo({
    url: config.mongodbUrl,
    database: names.database,
    appName: "devicemesh-aggregator",
    poolMax: 16,
  });
  const { db } = mongo;
  let isWaiting = true;
  let levels: MeshSettings["levels"] = [];
  let published: PublishedFrontier | undefined;
  let election: Election<ActiveAggregator> | undefined;

  async function untilThere<T>(what: AggregatorNeed, attempt: () => Promise<T>): Promise<T> {
    const onFailure = (error: unknown): void => waiting.unavailable(what, error);
    const found = await retrying(attempt, { signal, onFailure });
    waiting.available(what);
    return found;
  }

  function foundUnavailable(what: AggregatorNeed, error: unknown): void {
    if (!signal.aborted) waiting.unavailable(what, error);
  }

  async function run(): Promise<void> {
    await using opened = new AsyncDisposableStack();
    opened.use(mongo);
    await untilThere("mongodb", mongo.connected);
    const settings = await untilThere("settings", async () => {
      const found = await createMongoFrontier({ db, clock }).readSettings();
      if (!found)
        throw new Error("the operator has not written them yet: start the operator, or check its health");
      return found;
    });
    levels = settings.levels;
    const store = createMongoStore({
      db,
      levels,
      clock,
      onUnable: (error) =>
        logger.warn(
          { error },
          "windows remain without sketches: percentiles of theirs are read from raw readings",
        ),
    });
    const kafka = createKafka({
      brokers: listOf(config.kafkaBrokers),
      security: kafkaSecurityOf(config),
      clientId: "devicemesh-aggregator",
      requestTimeoutMs: 5000,
    });
    const ticks = opened.use(
      await untilThere("kafka", () =>
        openKafkaTicks({ kafka, topic: names.topics.messages, partitions: settings.partitions }),
      ),
    );
    const offsets = observedOffsets(
      opened.use(await untilThere("kafka", () => openKafkaOffsets({ kafka, names }))),
      { onSuccess: () => waiting.available("kafka"), onFailure: (error) => foundUnavailable("kafka", error) },
    );
    const leaseLog = createFailureLog({
      logger,
      failed: "could not take or keep the lease, or become active; retrying",
      recovered: "the lease is taken or kept again",
    });
    election = opened.use(
      startElection({
        lease: createMongoLease({ db, name: "aggregator", holder, durationMs: leaseTimes.durationMs }),
        start: () =>
          startActive({
            names,
            settings,
            clockSkewMs: config.clockSkew,
            holder,
            store,
            ticks,
            offsets,
            logReader: createKafkaLogReader({ kafka, names }),
            startWindowJob,
            onBatch,
            logger,
            clock,
          }),
        onFailure: (error) => void leaseLog.failed(error),
        onSuccess: leaseLog.succeeded,
        onChange: (isActive) => logger.info({ holder }, isActive ? "active" : "another aggregator is active"),
      }),
    );
    opened.use(
      startLoop({
        intervalMs: watchIntervalMs,
        async step() {
          published = await store.readFrontier();
        },
        onSuccess: () => waiting.available("mongodb"),
        onFailure: (error) => foundUnavailable("mongodb", error),
      }),
    );
    isWaiting = false;
    if (!signal.aborted) await new Promise((resolve) => signal.addEventListener("abort", resolve));
  }

  const failure = Promise.withResolvers<never>();
  failure.promise.catch(() => {});
  const running = run().catch((error: unknown) => {
    if (!signal.aborted) failure.reject(error);
  });

  function needed(): string[] {
    const found = waiting.problems();
    return found.length > 0 ? found : ["starting"];
  }

  return {
    view() {
      const active = election?.active;
      const problems = isWaiting ? needed() : (active?.problems() ?? []);
      return { active, holder: election?.holder ?? "", published, levels, problems };
    },
    get isReady() {
      return !isWaiting;
    },
    failed: failure.promise,
    async [Symbol.asyncDispose]() {
      stopping.abort();
      // A step that waits for a long request is abandoned: all its work can be repeated.
      await Promise.race([running, delay(closeMaxMs, undefined, { ref: false })]);
    },
  };
}
