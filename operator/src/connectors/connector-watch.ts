import { withoutCredentials } from "@devicemesh/kit/observability/redact-credentials";
import { connectorGroup, type OperatorStatusDocument } from "@devicemesh/pipeline";
import type { GroupProgress } from "../maintenance/kafka-progress.ts";
import { createProgressWatch } from "../maintenance/progress-watch.ts";
import type { ConnectorState, ConnectRest } from "./connect-rest.ts";
import type { ConnectorDefinition } from "./connector-definitions.ts";
import { createRestartBackoff, type RestartPacing } from "./restart-backoff.ts";

/** What a look at a connector found. */
export type ConnectorObservation = {
  readonly document: OperatorStatusDocument["connectors"][number];
  /** What is wrong with it, in words. */
  readonly problems: readonly string[];
  /** It is not there: somebody has to make it. */
  readonly missing: boolean;
};

/** Looks after one connector: restarts what failed of it, and notices when it is stuck. */
export type ConnectorWatch = {
  /**
   * Looks, at a time (ms of any clock that only goes forward). Rejects if Kafka or Kafka Connect cannot be reached, and
   * when the signal aborts.
   */
  look(nowMs: number, signal?: AbortSignal): Promise<ConnectorObservation>;
};

/** A watch over a connector that has seen nothing yet. */
export function createConnectorWatch(options: {
  readonly definition: ConnectorDefinition;
  readonly rest: Pick<ConnectRest, "readState" | "restartFailed">;
  readProgress(groupId: string, topic: string, signal?: AbortSignal): Promise<GroupProgress>;
  /** So long may a sink commit nothing although something is left before that is a problem, in ms. */
  readonly stuckAfterMs: number;
  readonly pacing?: RestartPacing;
}): ConnectorWatch {
  const { definition, rest, readProgress, stuckAfterMs, pacing } = options;
  const { name, topic } = definition;
  const intervals = createRestartBackoff(pacing);
  const watch = createProgressWatch();
  return {
    async look(nowMs, signal) {
      const [found, progress] = await Promise.all([
        rest.readState(name, signal),
        readProgress(connectorGroup(name), topic, signal),
      ]);
      const failed = found !== undefined && anyFailed(found);
      if (intervals.due(nowMs, failed)) await rest.restartFailed(name, signal);
      const stillMs = watch.observe(nowMs, progress);
      const problems = [...stateProblems(name, found)];
      if (stillMs > stuckAfterMs) {
        problems.push(
          `sink ${name} is stuck: ${progress.lag} records wait, and it has stored none for ${Math.round(stillMs / 1000)} s`,
        );
      }
      return {
        document: {
          name,
          state: found?.state ?? "MISSING",
          tasks: (found?.tasks ?? []).map(({ id, state, trace }) => ({
            id,
            state,
            error: trace === undefined ? null : firstLine(trace),
          })),
          lag: progress.lag,
          restarts: intervals.restarts,
        },
        problems,
        missing: found === undefined,
      };
    },
  };
}

function anyFailed({ state, tasks }: ConnectorState): boolean {
  return state === "FAILED" || tasks.some((task) => task.state === "FAILED");
}

function stateProblems(name: string, found: ConnectorState | undefined): string[] {
  if (!found) return [`connector ${name} is missing`];
  const notRunning = found.tasks.filter(({ state }) => state !== "RUNNING");
  return [
    ...(found.state === "RUNNING" ? [] : [`connector ${name} is ${found.state}`]),
    ...(found.tasks.length > 0 ? [] : [`connector ${name} has no tasks yet`]),
    ...notRunning.map(({ id, state, trace }) => {
      const why = trace === undefined ? "" : `: ${firstLine(trace)}`;
      return `task ${id} of connector ${name} is ${state}${why}`;
    }),
  ];
}

/** A trace is some kilobytes; its first line says what happened, its last cause why. */
function firstLine(trace: string): string {
  const [first = ""] = trace.split("\n");
  const cause = [...trace.matchAll(/^Caused by: (.*)$/gm)].at(-1)?.[1];
  return withoutCredentials(cause === undefined ? first : `${first} (${cause})`).slice(0, 500);
}
