import type { Level } from "@devicemesh/proto";
import type { BatchChecks } from "../late-appends/batch-checks.ts";
import type { FrontierObservation, FrontierState, LogPlaces } from "../levels/frontier.ts";
import type { MeshSettings, PublishedFrontier } from "../store/aggregator-store.ts";

/** The last observations of the leader's loops, for its status and its health. */
export type Progress = {
  readonly levels: readonly Level[];
  /** The time at which this aggregator became leader, by its own clock. */
  readonly activeSinceMs: number;
  frontier: FrontierState;
  /** The frontiers of the levels, the finest first. */
  frontiersMs: readonly number[];
  /** See PublishedFrontier. */
  coarsePureSinceMs: number | undefined;
  observation: FrontierObservation;
  committed: LogPlaces | undefined;
  logEndMs: number | undefined;
  /** The time at which the finest frontier last moved, by this aggregator's own clock. */
  movedAtMs: number;
  /** The time at which each partition's last tick was acknowledged, by this aggregator's own clock. */
  readonly tickedAtMs: number[];
  tickError: unknown;
  /** By how much the log's clock is ahead of this aggregator's at most, in ms: below 0 if it is behind. */
  logAheadMs: number;
  /** Number of repaired windows with duplicates, and of those that the last search found and that still wait. */
  repairs: number;
  dirtyWindows: number;
  /** Which batches of the window job are checked for dropped messages; undefined before that is known. */
  checks: BatchChecks | undefined;
  /** Windows that were marked since messages of theirs arrived behind Spark's watermark. */
  lateWindows: number;
  /** By partition: how far its broker's clock is behind the newest append time, in ms; without those that are not. */
  steppedBackMs: ReadonlyMap<number, number>;
  /** The failures that no success has followed, by the name of the loop. */
  readonly failures: Map<string, string>;
};

/** The initial state of a leader: only what is published. */
export function createProgress(
  { levels, partitions }: MeshSettings,
  published: PublishedFrontier,
  nowMs: number,
): Progress {
  const frontiersMs = levels.map((_, level) => published.frontiersMs[level] ?? 0);
  return {
    levels,
    activeSinceMs: nowMs,
    frontier: { frontierMs: frontiersMs[0] as number },
    frontiersMs,
    coarsePureSinceMs: published.coarsePureSinceMs,
    observation: { watermarkMs: undefined, completeThroughMs: undefined },
    committed: undefined,
    logEndMs: published.logEndMs,
    movedAtMs: nowMs,
    tickedAtMs: Array.from({ length: partitions }, () => 0),
    tickError: undefined,
    logAheadMs: 0,
    repairs: 0,
    dirtyWindows: 0,
    checks: undefined,
    lateWindows: 0,
    steppedBackMs: new Map(),
    failures: new Map(),
  };
}
