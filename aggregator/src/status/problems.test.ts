import { describe, expect, it } from "vitest";
import { batchOf, createMemoryWindowJob } from "../../testing/memory-window-job.ts";
import { createBatchChecks } from "../late-appends/batch-checks.ts";
import { aimedAt, type LogPlaces } from "../levels/frontier.ts";
import { findProblems, problemLimits } from "./problems.ts";
import { createProgress, type Progress } from "./progress.ts";

const levels = [{ windowMs: 10_000, segmentMs: 10_000 }];
const nowMs = 10_000_000;
const published = { completeThroughMs: 0, frontiersMs: [0], logEndMs: undefined };

/** A healthy state: the frontier moved and ticks went out just now. */
function healthyProgress(options: Partial<Progress> = {}): Progress {
  const progress = createProgress({ levels, partitions: 2 }, published, 1000);
  return { ...progress, movedAtMs: nowMs - 1000, tickedAtMs: [nowMs, nowMs], ...options };
}

function problemsOf(
  progress: Progress,
  report: (job: ReturnType<typeof createMemoryWindowJob>) => void = () => {},
) {
  const job = createMemoryWindowJob();
  report(job);
  return findProblems({ progress, job, nowMs });
}

describe("findProblems", () => {
  it("finds nothing in a healthy state", () => {
    expect(problemsOf(healthyProgress(), (job) => job.report({ batch: 1 }))).toEqual([]);
  });

  it("names a broker's clock that stepped back, while it is behind", () => {
    const behind = (ms: number) => problemsOf(healthyProgress({ steppedBackMs: new Map([[1, ms]]) }));
    expect(behind(problemLimits.steppedBackMs)).toEqual([]);
    expect(behind(37_000)).toEqual([
      expect.stringMatching(/^the clock of the broker of partition 1 stepped back, and is 37 s behind/),
    ]);
  });

  it("names dropped messages until their windows are marked, and not after", () => {
    const checks = createBatchChecks({ checked: new Map(), sinceMs: 0 });
    checks.add(batchOf({ batch: 0, rowsDropped: 3, watermarkMs: 5000, endOffsets: new Map([[0, 9]]) }), 5000);
    const progress = healthyProgress({ checks });
    const reported = (job: ReturnType<typeof createMemoryWindowJob>) => job.report({ rowsDropped: 3 });
    expect(problemsOf(progress, reported)).toEqual([
      expect.stringContaining("messages that the window job dropped"),
    ]);
    checks.complete(1);
    expect(problemsOf(progress, reported)).toEqual([]);
  });

  it("reports a job that keeps failing, not one that was restarted once", () => {
    const failed = (restarts: number) =>
      problemsOf(healthyProgress(), (job) => job.become({ kind: "failed", error: "boom", restarts }));
    expect(failed(problemLimits.restarts - 1)).toEqual([]);
    expect(failed(problemLimits.restarts)).toEqual(["the window job failed 3 times, last with: boom"]);
  });

  it("keeps reporting it while the job restarts", () => {
    const starting = { kind: "starting", restarts: 5 } as const;
    expect(problemsOf(healthyProgress(), (job) => job.become({ ...starting, error: "boom" }))).toHaveLength(
      1,
    );
    expect(problemsOf(healthyProgress(), (job) => job.become(starting))).toEqual([]);
  });

  it("reports a job that completes no batch although the log grows", () => {
    const problems = problemsOf(healthyProgress(), (job) =>
      job.become({ kind: "stalled", withoutBatchMs: 31_000 }),
    );
    expect(problems).toEqual([
      expect.stringMatching(/^no batch of the window job for 31 s although the log grows/),
    ]);
    const starting = (withoutBatchMs: number) =>
      problemsOf(healthyProgress(), (job) => job.become({ kind: "starting", withoutBatchMs }));
    expect(starting(problemLimits.firstMoveMs)).toEqual([]);
    expect(starting(problemLimits.firstMoveMs + 1)).toHaveLength(1);
  });

  it("reports Spark while it is unavailable", () => {
    expect(problemsOf(healthyProgress(), (job) => job.become({ kind: "unavailable" }))).toEqual([
      "Spark cannot be reached",
    ]);
  });

  it("names partitions without ticks, with the cause", () => {
    const tickedAtMs = [nowMs, nowMs - 20_000];
    expect(problemsOf(healthyProgress({ tickedAtMs, tickError: new Error("no leader") }))).toEqual([
      "no tick got through to partition 1 for 20 s: no leader",
    ]);
    expect(problemsOf(healthyProgress({ tickedAtMs: [nowMs, nowMs - problemLimits.withoutTickMs] }))).toEqual(
      [],
    );
  });

  it("names a loop that fails", () => {
    expect(problemsOf(healthyProgress({ failures: new Map([["levels", "too slow"]]) }))).toEqual([
      "levels: too slow",
    ]);
  });
});

describe("a frontier that does not move", () => {
  const still = { movedAtMs: nowMs - 61_000, logEndMs: nowMs };
  const ends: LogPlaces = { windows: new Map([["w/0", 5]]), deadLetters: new Map([["d/0", 5]]) };

  it("is not a problem while no messages arrive, or if it stands for a short time", () => {
    expect(problemsOf(healthyProgress({ ...still, logEndMs: undefined }))).toEqual([]);
    const frontier = { frontierMs: nowMs + 1 };
    expect(problemsOf(healthyProgress({ ...still, frontier }))).toEqual([]);
    expect(problemsOf(healthyProgress({ ...still, movedAtMs: nowMs - 60_000 }))).toEqual([]);
  });

  it("may take longer to move for the first time", () => {
    const activeSinceMs = nowMs - 100_000;
    expect(problemsOf(healthyProgress({ ...still, activeSinceMs, movedAtMs: activeSinceMs }))).toEqual([]);
  });

  it.each([
    [
      "the window job has reported no watermark",
      { observation: { watermarkMs: undefined, completeThroughMs: 5 } },
    ],
    ["the sink of messages is behind", { observation: { watermarkMs: 9, completeThroughMs: 5 } }],
    ["the window job's watermark is behind", { observation: { watermarkMs: 5, completeThroughMs: 9 } }],
    [
      "the sink of windows has not stored what the window job wrote",
      {
        frontier: aimedAt({ frontierMs: 0 }, 10, ends),
        committed: { windows: new Map(), deadLetters: new Map() },
      },
    ],
    [
      "the operator has not read the dead letters",
      { frontier: aimedAt({ frontierMs: 0 }, 10, ends), committed: { ...ends, deadLetters: new Map() } },
    ],
  ] satisfies [string, Partial<Progress>][])("reports that %s", (what, seen) => {
    expect(problemsOf(healthyProgress({ ...still, ...seen }))).toEqual([
      `the frontier stands still for 61 s although messages come: ${what}`,
    ]);
  });
});
