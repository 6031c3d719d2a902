import { setTimeout as delay } from "node:timers/promises";
import { chainNames, listOf } from "@devicemesh/chain";
import { createKafka } from "@devicemesh/chain/kafka-client";
import { openMongo } from "@devicemesh/chain/mongo-client";
import type { Logger } from "@devicemesh/kit/logger";
import { type ActiveAggregator, type StartWindowJob, startActive } from "./active.ts";
import type { MeshSettings, PublishedFrontier } from "./aggregator-store.ts";
import { type Candidacy, leaseTimes, startCandidacy } from "./candidacy.ts";
import type { AggregatorConfig } from "./config.ts";
import { openKafkaOffsets } from "./kafka-offsets.ts";
import { openKafkaTicks } from "./kafka-ticks.ts";
import { startLoop } from "./loop.ts";
import { createMongoFrontier } from "./mongo-frontier.ts";
import { createMongoLease } from "./mongo-lease.ts";
import { createMongoStore } from "./mongo-store.ts";
import { retrying } from "./retrying.ts";
import type { AggregatorView } from "./service.ts";
import type { BatchProgress } from "./window-job-progress.ts";

/** What an aggregator does beside serving. */
export type Aggregation = AsyncDisposable & {
  view(): AggregatorView;
  /** Whether it has all it needs, and is active or could take over. */
  readonly isReady: boolean;
};

/** How long disposing takes at most: below the ten seconds after which containers are killed. */
const closeMaxMs = 5000;

/** How often one that waits looks at what the active one has published. */
const watchIntervalMs = 2000;

/**
 * Connects to everything, waiting for what is away and for the operator's settings, and stands for the lease.
 * Disposing ends it all and leaves the query running in Spark.
 */
export function startAggregation(
  config: AggregatorConfig,
  dependencies: {
    /** A name of its own in the whole mesh. */
    readonly holder: string;
    readonly startWindowJob: StartWindowJob;
    readonly onBatch?: ((batch: BatchProgress) => void) | undefined;
    readonly logger: Logger;
    /** Ms since 1970. */
    readonly clock: () => number;
  },
): Aggregation {
  const { holder, startWindowJob, onBatch, logger, clock } = dependencies;
  const names = chainNames({ prefix: config.topicPrefix, database: config.mongodbDatabase });
  const stopping = new AbortController();
  const { signal } = stopping;
  let waitingFor: string | undefined = "starting";
  let levels: MeshSettings["levels"] = [];
  let published: PublishedFrontier | undefined;
  let candidacy: Candidacy<ActiveAggregator> | undefined;

  function untilThere<T>(what: string, attempt: () => Promise<T>): Promise<T> {
    waitingFor = `waiting for ${what}`;
    const onFailure = (error: unknown): void => {
      waitingFor = `waiting for ${what}: ${error instanceof Error ? error.message : String(error)}`;
      logger.warn({ error, what }, "waiting for what is not there yet");
    };
    return retrying(attempt, { signal, onFailure });
  }

  async function run(): Promise<void> {
    await using opened = new AsyncDisposableStack();
    const { db } = opened.use(
      openMongo({
        url: config.mongodbUrl,
        database: names.database,
        appName: "devicemesh-aggregator",
        poolMax: 16,
      }),
    );
    const settings = await untilThere("the settings of the mesh", async () => {
      const found = await createMongoFrontier({ db, clock }).readSettings();
      if (!found) throw new Error("the operator has not written them yet: start it, or look at its health");
      return found;
    });
    levels = settings.levels;
    const kafka = createKafka({
      brokers: listOf(config.kafkaBrokers),
      clientId: "devicemesh-aggregator",
      requestTimeoutMs: 5000,
    });
    const ticks = opened.use(
      await untilThere("Kafka", () =>
        openKafkaTicks({ kafka, topic: names.topics.messages, partitions: settings.partitions }),
      ),
    );
    const offsets = opened.use(await untilThere("Kafka", () => openKafkaOffsets({ kafka, names })));
    const store = createMongoStore({ db, levels: settings.levels, clock });
    candidacy = opened.use(
      startCandidacy({
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
            startWindowJob,
            onBatch,
            logger,
            clock,
          }),
        onFailure: (error) => logger.warn({ error }, "could not take or keep the lease"),
        onChange: (isActive) => logger.info({ holder }, isActive ? "active" : "another one is active"),
      }),
    );
    opened.use(
      startLoop({
        intervalMs: watchIntervalMs,
        async step() {
          published = await store.readFrontier();
        },
        onFailure: (error) => logger.debug({ error }, "the published frontier could not be read"),
      }),
    );
    waitingFor = undefined;
    if (!signal.aborted) await new Promise((resolve) => signal.addEventListener("abort", resolve));
  }

  const running = run().catch((error: unknown) => {
    if (signal.aborted) return;
    waitingFor = error instanceof Error ? error.message : String(error);
    logger.error({ error }, "the aggregator cannot go on");
  });

  return {
    view() {
      const active = candidacy?.active;
      const problems = waitingFor === undefined ? (active?.problems() ?? []) : [waitingFor];
      return { active, holder: candidacy?.holder ?? "", published, levels, problems };
    },
    get isReady() {
      return waitingFor === undefined;
    },
    async [Symbol.asyncDispose]() {
      stopping.abort();
      // A step that is in the middle of a long question is left alone: all of it can be done again.
      await Promise.race([running, delay(closeMaxMs, undefined, { ref: false })]);
    },
  };
}
