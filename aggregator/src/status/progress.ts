import type { Level } from "@devicemesh/proto";
import type { FrontierObservation, FrontierState, LogPlaces } from "../levels/frontier.ts";
import type { MeshSettings, PublishedFrontier } from "../store/aggregator-store.ts";

/** What the loops of an active aggregator have seen last, for its status and its health. */
export type Progress = {
  readonly levels: readonly Level[];
  /** When this aggregator became active, by its own clock. */
  readonly activeSinceMs: number;
  frontier: FrontierState;
  /** For each level, the finest first. */
  frontiersMs: readonly number[];
  /** See PublishedFrontier. */
  coarsePureSinceMs: number | undefined;
  observation: FrontierObservation;
  committed: LogPlaces | undefined;
  logEndMs: number | undefined;
  /** When the finest frontier moved last, by this aggregator's own clock. */
  movedAtMs: number;
  /** When each partition's tick was acknowledged last, by this aggregator's own clock. */
  readonly tickedAtMs: number[];
  tickError: unknown;
  /** Windows with repeats that were repaired, and those that the last search found and that still wait. */
  repairs: number;
  dirtyWindows: number;
  /** What failed last and has not succeeded since, by the name of the loop. */
  readonly failures: Map<string, string>;
};

/** What is known when an aggregator becomes active: what is published, and nothing else. */
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
    repairs: 0,
    dirtyWindows: 0,
    failures: new Map(),
  };
}
