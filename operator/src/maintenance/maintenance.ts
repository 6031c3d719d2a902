import { cancelledAfter } from "@devicemesh/kit/async/time-limit";
import { reasonOf } from "@devicemesh/kit/observability/failure-reason";
import type { Logger } from "@devicemesh/kit/observability/logger";
import { databaseDiskFull, isDatabaseDiskFull, type OperatorStatusDocument } from "@devicemesh/pipeline";
import { connectorDefinitions } from "../connectors/connector-definitions.ts";
import { type ConnectorObservation, createConnectorWatch } from "../connectors/connector-watch.ts";
import type { RestartDelays } from "../connectors/restart-backoff.ts";
import { inspectMesh } from "../definition/inspect-mesh.ts";
import type { MeshDefinition } from "../definition/mesh-definition.ts";
import { createDiskWatch } from "../disks/disk-watch.ts";
import { createDatabaseDiskReader } from "../disks/mongo-database-disk.ts";
import type { MeshEngines } from "../mesh-engines.ts";
import { createInspection } from "./inspection.ts";
import { type GroupProgress, readGroupProgress } from "./kafka-progress.ts";
import type { OperatorStore } from "./operator-store.ts";
import { createProgressWatch } from "./progress-watch.ts";

/** Keeps a mesh in its desired state. */
export type Maintenance = {
  /**
   * Polls everything, restarts and repairs what it can, and returns the problems. Never rejects: an unreachable engine
   * is a problem. Ends within a few multiples of `answerMs`, and soon after the signal aborts; it cancels requests that
   * are not answered by then.
   */
  run(signal: AbortSignal): Promise<Omit<OperatorStatusDocument, "_id" | "updated">>;
};

/** The settings of maintenance. */
export type MaintenanceIntervals = {
  /** Longest time in ms that a sink, or the reader of dead letters, may make no progress while records wait. */
  readonly stuckAfterMs: number;
  /** Interval in ms at which topics, collections, indexes and configurations are compared with their desired state. */
  readonly inspectEveryMs: number;
  /** Time limit of a request to an engine, in ms. */
  readonly answerMs: number;
  readonly restarts?: RestartDelays;
};

/** The result of one poll. */
type Round = { readonly problems: string[]; readonly signal: AbortSignal };

/** Creates the maintenance of a mesh that has been made. `now` is a monotonic clock in ms. */
export function createMaintenance(options: {
  readonly engines: MeshEngines;
  readonly mesh: MeshDefinition;
  readonly store: OperatorStore;
  readonly intervals: MaintenanceIntervals;
  readonly now: () => number;
  readonly logger: Logger;
}): Maintenance {
  const { engines, mesh, store, intervals, now, logger } = options;
  const { names } = mesh;
  const { stuckAfterMs, answerMs } = intervals;
  const readProgress = (groupId: string, topic: string, signal?: AbortSignal): Promise<GroupProgress> =>
    readGroupProgress(engines.withAdmin, groupId, topic, signal);
  const watches = connectorDefinitions(mesh).map((definition) => ({
    name: definition.name,
    seen: undefined as ConnectorObservation | undefined,
    watch: createConnectorWatch({
      definition,
      rest: engines.rest,
      readProgress,
      stuckAfterMs,
      ...(intervals.restarts && { delays: intervals.restarts }),
    }),
  }));
  const deadLetterWatch = createProgressWatch();
  let deadLetterLag = 0;
  const inspection = createInspection({
    inspect: (signal) => inspectMesh(engines, mesh, signal),
    everyMs: intervals.inspectEveryMs,
    logger,
  });

  const readDatabaseDisk = createDatabaseDiskReader(engines.db);
  const diskWatch = createDiskWatch({
    readDisks: async (signal) => [
      ...(await engines.readBrokerDisks(signal)),
      ...(await readDatabaseDisk(signal)),
    ],
    everyMs: intervals.inspectEveryMs,
  });

  /** Returns the result, or the failure as a problem. */
  async function attempt<Result>(
    what: string,
    ask: (signal: AbortSignal) => Promise<Result>,
    { problems, signal }: Round,
  ): Promise<Result | undefined> {
    try {
      return await cancelledAfter(ask, { ms: answerMs, what, signal });
    } catch (error) {
      const reason = reasonOf(error);
      const full = isDatabaseDiskFull(error) ? `${databaseDiskFull}: ` : "";
      problems.push(reason.startsWith(`${what}: `) ? `${full}${reason}` : `${what}: ${full}${reason}`);
      return undefined;
    }
  }

  async function observeConnectors(round: Round): Promise<void> {
    const { problems } = round;
    await Promise.all(
      watches.map(async (one) => {
        const observation = await attempt(
          `connector ${one.name}`,
          (signal) => one.watch.observe(now(), signal),
          round,
        );
        if (!observation) return;
        one.seen = observation;
        problems.push(...observation.problems);
      }),
    );
  }

  async function observeDeadLetters(round: Round): Promise<void> {
    const { problems } = round;
    const topics = [names.topics.messageDeadLetters, names.topics.windowDeadLetters];
    const found = await attempt(
      "dead letters",
      (signal) => Promise.all(topics.map((topic) => readProgress(names.deadLetterGroup, topic, signal))),
      round,
    );
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
    const unstored = await attempt(
      "MongoDB",
      (signal) => store.countWithoutSpace(names.topics.messages, signal),
      round,
    );
    if (unstored) {
      problems.push(
        `${unstored} readings of ${names.topics.messages} are not in the database, because its disk was full: when it has ` +
          "space, replay the sink (--replay) and delete those dead letters",
      );
    }
    const lost = await attempt(
      "MongoDB",
      (signal) => store.countInvalid(names.topics.windows, signal),
      round,
    );
    if (lost) {
      problems.push(
        `${lost} records of ${names.topics.windows} were rejected by the sink, so partials may be missing; their windows ` +
          `are answered from raw readings if the key identifies them. See dead_letters, kind "invalid"; when the cause is ` +
          "repaired, replay the sink and delete those dead letters",
      );
    }
  }

  async function inspect(round: Round): Promise<void> {
    const urgent = watches.some(({ seen }) => seen?.missing);
    await attempt("inspection", (signal) => inspection.run(now(), urgent, signal), round);
    round.problems.push(...inspection.standing);
  }

  async function observeDisks(round: Round): Promise<void> {
    await attempt("disks", (signal) => diskWatch.observe(now(), signal), round);
    round.problems.push(...diskWatch.standing);
  }

  return {
    async run(signal) {
      const problems: string[] = [];
      const round = { problems, signal };
      await observeConnectors(round);
      await observeDeadLetters(round);
      await inspect(round);
      await observeDisks(round);
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
