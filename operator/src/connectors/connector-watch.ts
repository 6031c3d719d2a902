import { withoutCredentials } from "@devicemesh/kit/observability/redact-credentials";
import {
  connectorGroup,
  databaseDiskFull,
  isDatabaseDiskFull,
  type OperatorStatusDocument,
} from "@devicemesh/pipeline";
import type { GroupProgress } from "../maintenance/kafka-progress.ts";
import { createProgressWatch } from "../maintenance/progress-watch.ts";
import type { ConnectorState, ConnectRest } from "./connect-rest.ts";
import type { ConnectorDefinition } from "./connector-definitions.ts";
import { createRestartBackoff, type RestartDelays } from "./restart-backoff.ts";

/** The result of one poll of a connector. */
export type ConnectorObservation = {
  readonly document: OperatorStatusDocument["connectors"][number];
  /** Its problems, as text. */
  readonly problems: readonly string[];
  /** Whether the connector is missing and must be created. */
  readonly missing: boolean;
};

/** Watches one connector: restarts its failed tasks, and detects that it is stuck. */
export type ConnectorWatch = {
  /**
   * Polls at a time (ms of any monotonic clock). Rejects if Kafka or Kafka Connect is unreachable, and when the signal
   * aborts.
   */
  observe(nowMs: number, signal?: AbortSignal): Promise<ConnectorObservation>;
};

/** Creates a watch without observations. */
export function createConnectorWatch(options: {
  readonly definition: ConnectorDefinition;
  readonly rest: Pick<ConnectRest, "readState" | "restartFailed">;
  readProgress(groupId: string, topic: string, signal?: AbortSignal): Promise<GroupProgress>;
  /** Longest time in ms that a sink may commit nothing while records wait, before that is a problem. */
  readonly stuckAfterMs: number;
  readonly delays?: RestartDelays;
}): ConnectorWatch {
  const { definition, rest, readProgress, stuckAfterMs, delays } = options;
  const { name, topic } = definition;
  const intervals = createRestartBackoff(delays);
  const watch = createProgressWatch();
  return {
    async observe(nowMs, signal) {
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
    ...(notRunning.some(({ trace }) => isDatabaseDiskFull(trace))
      ? [`sink ${name}: ${databaseDiskFull}`]
      : []),
    ...(found.tasks.length > 0 ? [] : [`connector ${name} has no tasks yet`]),
    ...notRunning.map(({ id, state, trace }) => {
      const why = trace === undefined ? "" : `: ${firstLine(trace)}`;
      return `task ${id} of connector ${name} is ${state}${why}`;
    }),
  ];
}

/**
 * Shortens a trace of several kilobytes to its first line, which names the failure, and its last cause, which explains
 * it.
 */
function firstLine(trace: string): string {
  const [first = ""] = trace.split("\n");
  const cause = [...trace.matchAll(/^Caused by: (.*)$/gm)].at(-1)?.[1];
  return withoutCredentials(cause === undefined ? first : `${first} (${cause})`).slice(0, 500);
}
