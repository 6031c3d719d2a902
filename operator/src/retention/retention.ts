import { setTimeout as delay } from "node:timers/promises";
import { unlessAborted, withinTime } from "@devicemesh/kit/async/time-limit";
import { reasonOf } from "@devicemesh/kit/observability/failure-reason";
import type { Logger } from "@devicemesh/kit/observability/logger";
import type { MeshDefinition } from "../definition/mesh-definition.ts";
import { readSensorUnits } from "../definition/mongo-sensor-units.ts";
import { retentionCloseLimitMs, retentionStepMs } from "../limits.ts";
import type { MeshEngines } from "../mesh-engines.ts";
import { openRetentionTopic } from "./kafka-retention-topic.ts";
import { createMongoRetentionStore } from "./mongo-retention-store.ts";
import { createRetentionKeeper } from "./retention-keeper.ts";

/** The expiry of readings and windows, which continues through failures of the engines. */
export type MeshRetention = AsyncDisposable & {
  /** Its current problem, as text; empty if there is none. */
  problems(): readonly string[];
};

/** Starts the retention of a mesh that has been made, and continues until it is disposed of. */
export function startRetention(options: {
  readonly engines: MeshEngines;
  readonly mesh: MeshDefinition;
  readonly logger: Logger;
  /** Ms since 1970. */
  readonly clock: () => number;
  /** Replacements for the defaults, for tests. */
  readonly delayMs?: number | undefined;
  readonly stepEveryMs?: number | undefined;
}): MeshRetention {
  const { engines, mesh, logger, clock, delayMs } = options;
  const { names, levels, retention } = mesh;
  const { kafka, db } = engines;
  const topic = openRetentionTopic({ kafka, topic: names.topics.retention });
  const keeper = createRetentionKeeper({
    store: createMongoRetentionStore({ db, levels, clock }),
    async announce(acceptedSinceMs) {
      await topic.announce({ acceptedSinceMs, sensorUnits: await readSensorUnits(db) });
    },
    levels,
    retention,
    clock,
    ...(delayMs !== undefined && { delayMs }),
  });
  const stopping = new AbortController();
  const { signal } = stopping;
  let problem: string | undefined;

  async function keep(): Promise<void> {
    while (!signal.aborted) {
      let isMoreDue = false;
      try {
        // A step that waits for an engine is abandoned on disposal: wherever it stops, nothing is lost.
        ({ isMoreDue } = await unlessAborted(keeper.step(), signal));
        problem = undefined;
      } catch (error) {
        if (signal.aborted) return;
        problem = `readings and windows do not expire: ${reasonOf(error)}`;
        logger.debug({ error }, "a retention step failed; retrying");
      }
      if (!isMoreDue)
        await delay(options.stepEveryMs ?? retentionStepMs, undefined, { signal }).catch(() => {});
    }
  }

  const keeping = keep();
  return {
    problems: () => (problem === undefined ? [] : [problem]),
    async [Symbol.asyncDispose]() {
      stopping.abort();
      await keeping;
      await withinTime(topic.close(), {
        ms: retentionCloseLimitMs,
        what: "the end of the topic",
      }).catch(() => {});
    },
  };
}
