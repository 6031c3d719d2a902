import { setTimeout as delay } from "node:timers/promises";
import { cancelledAfter } from "@devicemesh/kit/async/time-limit";
import { type Backoff, backoffDelayMs } from "@devicemesh/kit/lifetime/backoff";
import { reasonOf } from "@devicemesh/kit/observability/failure-reason";
import type { Logger } from "@devicemesh/kit/observability/logger";
import type { DeadLetterKind } from "@devicemesh/pipeline";
import type { MeshDefinition } from "../definition/mesh-definition.ts";
import { idleCommitMs } from "../limits.ts";
import type { MeshEngines } from "../mesh-engines.ts";
import type { DeadLetter } from "./dead-letter.ts";
import { createDuplicatesWatch } from "./duplicates-watch.ts";
import { type DeadLetterReader, startKafkaDeadLetterReader } from "./kafka-dead-letter-reader.ts";
import { createMongoDeadLetterStore } from "./mongo-dead-letter-store.ts";
import { takeDeadLetters } from "./store-dead-letters.ts";

/** The reader of dead letters, which continues through failures of the engines. */
export type DeadLetters = AsyncDisposable & {
  /** Its current problems, and the devices that send too many duplicates; empty if there are none. */
  problems(): readonly string[];
  /** Number of dead letters read and stored, by kind; those that are read again count again. */
  counts(): Readonly<Record<DeadLetterKind, number>>;
};

const answerMs = 10_000;

/** Starts to read the dead letters of a mesh whose topics exist, and continues until it is disposed of. */
export function startDeadLetters(options: {
  readonly engines: MeshEngines;
  readonly mesh: MeshDefinition;
  readonly logger: Logger;
  /** The delays between attempts to start. */
  readonly retry: Backoff;
}): DeadLetters {
  const { engines, mesh, logger, retry } = options;
  const { names } = mesh;
  const { messageDeadLetters, windowDeadLetters } = names.topics;
  const store = createMongoDeadLetterStore(engines.db);
  const windowMs = mesh.levels[0]!.windowMs;
  const duplicates = createDuplicatesWatch();
  const stopping = new AbortController();
  const { signal } = stopping;
  const counts: Record<DeadLetterKind, number> = { duplicate: 0, conflict: 0, redelivery: 0, invalid: 0 };
  let problem: string | undefined = "dead letters are not read yet";

  function start(): Promise<DeadLetterReader> {
    return startKafkaDeadLetterReader({
      kafka: engines.kafka,
      withAdmin: engines.withAdmin,
      groupId: names.deadLetterGroup,
      topics: [messageDeadLetters, windowDeadLetters],
      async take(topic, letters) {
        const sink = topic === messageDeadLetters ? "messages" : "windows";
        const kinds = await takeDeadLetters(letters, { sink, store, windowMs });
        for (const kind of kinds) counts[kind]++;
        if (sink === "messages")
          duplicates.add(kinds.map((kind, place) => ({ letter: letters[place] as DeadLetter, kind })));
      },
      logger,
    });
  }

  async function read(): Promise<void> {
    await using reader = await start();
    problem = undefined;
    let lost = false;
    void reader.gaveUp.then((error) => {
      lost = true;
      problem = `dead letters are not read: ${reasonOf(error)}`;
    });
    while (!lost && !signal.aborted) {
      await cancelledAfter((ending) => reader.commitIdle(ending), {
        ms: answerMs,
        what: "idle commit",
        signal,
      }).catch((error: unknown) =>
        logger.debug({ error }, "the offsets of idle topics could not be committed; retrying"),
      );
      await delay(idleCommitMs, undefined, { signal }).catch(() => {});
    }
  }

  async function readOn(): Promise<void> {
    for (let failures = 0; !signal.aborted; failures++) {
      try {
        await read();
        failures = 0;
      } catch (error) {
        problem = `dead letters are not read: ${reasonOf(error)}`;
      }
      await delay(backoffDelayMs({ attempt: failures, backoff: retry }), undefined, { signal }).catch(
        () => {},
      );
    }
  }

  const reading = readOn();
  return {
    problems: () => [...(problem === undefined ? [] : [problem]), ...duplicates.problems()],
    counts: () => counts,
    async [Symbol.asyncDispose]() {
      stopping.abort();
      await reading;
    },
  };
}
