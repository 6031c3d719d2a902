import type { OperatorStatusDocument } from "@devicemesh/chain";
import type { Logger } from "@devicemesh/kit/logger";
import { withinTime } from "@devicemesh/kit/time-limit";
import { connectorDefinitions } from "./connector-definitions.ts";
import { type ConnectorSight, createConnectorWatch } from "./connector-watch.ts";
import { inspectMesh } from "./inspect-mesh.ts";
import { createInspection } from "./inspection.ts";
import { type GroupProgress, readGroupProgress } from "./kafka-progress.ts";
import type { MeshDefinition } from "./mesh-definition.ts";
import type { MeshEngines } from "./mesh-engines.ts";
import type { OperatorStore } from "./operator-store.ts";
import { createProgressWatch } from "./progress-watch.ts";
import type { RestartPacing } from "./restart-pace.ts";

/** Keeps a mesh as it should be. */
export type Upkeep = {
  /**
   * Looks at everything, restarts and makes again what can be, and says how it is. Never rejects: what cannot be
   * reached is a problem. Ends within some multiples of `answerMs`.
   */
  look(): Promise<Omit<OperatorStatusDocument, "_id" | "updated">>;
};

/** What upkeep goes by. */
export type UpkeepPace = {
  /** So long may a sink, or the reader of dead letters, do nothing although something waits, in ms. */
  readonly stuckAfterMs: number;
  /** Topics, collections, indexes and configurations are compared with what they should be so often, in ms. */
  readonly inspectEveryMs: number;
  /** How long an engine may take to answer, in ms. */
  readonly answerMs: number;
  readonly restarts?: RestartPacing;
};

/** Upkeep of a mesh that has been made. `now` is a clock in ms that only goes forward. */
export function createUpkeep(options: {
  readonly engines: MeshEngines;
  readonly mesh: MeshDefinition;
  readonly store: OperatorStore;
  readonly pace: UpkeepPace;
  readonly now: () => number;
  readonly logger: Logger;
}): Upkeep {
  const { engines, mesh, store, pace, now, logger } = options;
  const { names } = mesh;
  const { stuckAfterMs, answerMs } = pace;
  const readProgress = (groupId: string, topic: string): Promise<GroupProgress> =>
    readGroupProgress(engines.withAdmin, groupId, topic);
  const watches = connectorDefinitions(mesh).map((definition) => ({
    name: definition.name,
    seen: undefined as ConnectorSight | undefined,
    watch: createConnectorWatch({
      definition,
      rest: engines.rest,
      readProgress,
      stuckAfterMs,
      ...(pace.restarts && { pacing: pace.restarts }),
    }),
  }));
  const deadLetterWatch = createProgressWatch();
  let deadLetterLag = 0;
  const inspection = createInspection({
    inspect: () => inspectMesh(engines, mesh),
    everyMs: pace.inspectEveryMs,
    logger,
  });

  /** The result, or the problem that there is none. */
  async function attempt<Result>(what: string, asked: Promise<Result>, problems: string[]) {
    try {
      return await withinTime(asked, { ms: answerMs, what });
    } catch (error) {
      problems.push(`${what}: ${error instanceof Error ? error.message : String(error)}`);
      return undefined;
    }
  }

  async function lookAtConnectors(problems: string[]): Promise<void> {
    await Promise.all(
      watches.map(async (one) => {
        const sight = await attempt(`connector ${one.name}`, one.watch.look(now()), problems);
        if (!sight) return;
        one.seen = sight;
        problems.push(...sight.problems);
      }),
    );
  }

  async function lookAtDeadLetters(problems: string[]): Promise<void> {
    const { messageDeadLetters, windowDeadLetters } = names.topics;
    const asked = Promise.all(
      [messageDeadLetters, windowDeadLetters].map((topic) => readProgress(names.deadLetterGroup, topic)),
    );
    const found = await attempt("dead letters", asked, problems);
    if (found) {
      deadLetterLag = found.reduce((sum, { lag }) => sum + lag, 0);
      const committed = found.reduce((sum, one) => sum + one.committed, 0);
      const stillMs = deadLetterWatch.observe(now(), { committed, lag: deadLetterLag });
      if (stillMs > stuckAfterMs) {
        problems.push(
          `${deadLetterLag} dead letters wait, and none was read for ${Math.round(stillMs / 1000)} s`,
        );
      }
    }
    const lost = await attempt("MongoDB", store.countInvalid(names.topics.windows), problems);
    if (lost) {
      problems.push(
        `${lost} records of ${names.topics.windows} were refused by the sink, so partials may be missing; their windows ` +
          `are answered from raw readings where the key tells them. See dead_letters, kind "invalid"; when it is ` +
          "mended, replay the sink and delete those dead letters",
      );
    }
  }

  async function inspect(problems: string[]): Promise<void> {
    const urgent = watches.some(({ seen }) => seen?.missing);
    await attempt("inspection", inspection.look(now(), urgent), problems);
    problems.push(...inspection.standing);
  }

  return {
    async look() {
      const problems: string[] = [];
      await lookAtConnectors(problems);
      await lookAtDeadLetters(problems);
      await inspect(problems);
      return {
        connectors: watches.map(
          ({ name, seen }) => seen?.document ?? { name, state: "UNASSIGNED", tasks: [], lag: 0, restarts: 0 },
        ),
        dead_letter_lag: deadLetterLag,
        problems,
      };
    },
  };
}
