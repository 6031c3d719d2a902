import type { WindowJob } from "../window-job/window-job.ts";
import type { Progress } from "./progress.ts";

/** The durations after which a condition is a problem, in ms. */
export const problemLimits = {
  /** Ticks are sent every second; a failover of a broker takes up to ten. */
  withoutTickMs: 15_000,
  /** The frontier moves every segment; two lost batches are not a problem. */
  frontierStillMs: 60_000,
  /** Spark takes up to a minute for its first batches, and reads the backlog. */
  firstMoveMs: 180_000,
  /** The job restarts by itself; this number of failures is not worth an alarm. */
  restarts: 3,
  /** The clocks of brokers are adjusted by some milliseconds all the time. */
  steppedBackMs: 1000,
} as const;

/** Returns the current problems, as text that names the component; empty if there are none. Pure. */
export function findProblems(options: {
  readonly progress: Omit<Progress, "levels">;
  readonly job: Pick<WindowJob, "progress" | "state">;
  /** This aggregator's own clock, ms since 1970. */
  readonly nowMs: number;
}): string[] {
  const { progress, job, nowMs } = options;
  return [
    ...jobProblems(job),
    ...tickProblems(progress, nowMs),
    ...clockProblems(progress),
    ...frontierProblems(progress, nowMs),
    ...[...progress.failures].map(([loop, text]) => `${loop}: ${text}`),
  ];
}

function jobProblems(job: Pick<WindowJob, "progress" | "state">): string[] {
  const { kind, error, restarts, withoutBatchMs } = job.state();
  const problems: string[] = [];
  const isLateStart = kind === "starting" && withoutBatchMs > problemLimits.firstMoveMs;
  if (kind === "stalled" || isLateStart) {
    problems.push(
      `no batch of the window job for ${seconds(withoutBatchMs)} although the log grows: check Spark's master, workers and executors`,
    );
  }
  if (kind === "unavailable") problems.push(`Spark cannot be reached${error ? `: ${error}` : ""}`);
  // A failure is reported until a batch is done, so that a job that never completes one does not appear healthy in
  // between.
  const isFailing = kind === "failed" || (kind === "starting" && error !== undefined);
  if (isFailing && restarts >= problemLimits.restarts) {
    problems.push(`the window job failed ${restarts} times${error ? `, last with: ${error}` : ""}`);
  }
  return problems;
}

function tickProblems(
  { tickedAtMs, tickError, activeSinceMs }: Pick<Progress, "tickedAtMs" | "tickError" | "activeSinceMs">,
  nowMs: number,
): string[] {
  const silent = [...tickedAtMs.entries()].filter(
    ([, atMs]) => nowMs - Math.max(atMs, activeSinceMs) > problemLimits.withoutTickMs,
  );
  if (silent.length === 0) return [];
  const sinceMs = Math.max(Math.min(...silent.map(([, atMs]) => atMs)), activeSinceMs);
  const partitions = silent.map(([partition]) => partition).join(", ");
  const cause = tickError instanceof Error ? `: ${tickError.message}` : "";
  return [`no tick got through to partition ${partitions} for ${seconds(nowMs - sinceMs)}${cause}`];
}

function clockProblems({ steppedBackMs, checks }: Pick<Progress, "steppedBackMs" | "checks">): string[] {
  const problems = [...steppedBackMs]
    .filter(([, ms]) => ms > problemLimits.steppedBackMs)
    .map(
      ([partition, ms]) =>
        `the clock of the broker of partition ${partition} stepped back, and is ${seconds(ms)} behind the last append: synchronize the brokers' clocks, or set --clock-skew to how far they differ`,
    );
  const waiting = checks?.waiting.length ?? 0;
  if (waiting > 0) {
    problems.push(
      `${waiting} ranges of the log wait to be checked for messages that the window job dropped: their windows are marked, then the frontier moves on`,
    );
  }
  return problems;
}

function frontierProblems(progress: Omit<Progress, "levels">, nowMs: number): string[] {
  const { frontier, logEndMs, movedAtMs, activeSinceMs } = progress;
  const hasMoved = movedAtMs > activeSinceMs;
  const stillMs = nowMs - movedAtMs;
  const limitMs = hasMoved ? problemLimits.frontierStillMs : problemLimits.firstMoveMs;
  const isBehind = logEndMs !== undefined && logEndMs >= frontier.frontierMs;
  if (!isBehind || stillMs <= limitMs) return [];
  return [`the frontier stands still for ${seconds(stillMs)} although messages come: ${blockerOf(progress)}`];
}

/** Returns the condition that stops the frontier. */
function blockerOf({
  frontier,
  observation,
  committed,
  checks,
}: Pick<Progress, "frontier" | "observation" | "committed" | "checks">): string {
  const { target } = frontier;
  if (target) {
    const isShort = (part: "windows" | "deadLetters"): boolean =>
      [...target.ends[part]].some(([place, end]) => (committed?.[part].get(place) ?? 0) < end);
    if (isShort("windows")) return "the sink of windows has not stored what the window job wrote";
    if (isShort("deadLetters")) return "the operator has not read the dead letters";
    return "it could not be published";
  }
  if (checks && checks.waiting.length > 0) return "messages that the window job dropped are not marked yet";
  if (observation.watermarkMs === undefined) return "the window job has reported no watermark";
  if (
    observation.completeThroughMs === undefined ||
    observation.completeThroughMs < observation.watermarkMs
  ) {
    return "the sink of messages is behind";
  }
  return "the window job's watermark is behind";
}

function seconds(ms: number): string {
  return `${Math.round(ms / 1000)} s`;
}
