import { alignDown } from "@devicemesh/proto";

/** The next action for a coarse level. Times are ms by the log's clock. */
export type NextFold =
  /** None: no segment of the level has closed. */
  | { readonly kind: "none" }
  /** Nothing arrived before `toMs`: the frontier may move there without a fold. */
  | { readonly kind: "skip"; readonly toMs: number }
  /** Fold the readings that arrived in the segment [sinceMs, toMs), then move the frontier to toMs. */
  | { readonly kind: "fold"; readonly sinceMs: number; readonly toMs: number };

/**
 * Returns the next segment of a level that can be folded: one that lies wholly before the frontier of the finer level,
 * whose partials are permanent there. It returns one segment at a time, and none without partials, so that each step is
 * bounded and long times without data cost nothing.
 */
export function nextFold(options: {
  readonly segmentMs: number;
  /** The level's own frontier. */
  readonly frontierMs: number;
  /** The frontier of the finer level. */
  readonly belowFrontierMs: number;
  /** The first segment of the finer level, at or after `frontierMs`, that has a partial; undefined if there is none. */
  readonly firstBelowMs: number | undefined;
}): NextFold {
  const { segmentMs, frontierMs, belowFrontierMs, firstBelowMs } = options;
  const closedMs = alignDown(belowFrontierMs, segmentMs);
  if (closedMs <= frontierMs) return { kind: "none" };
  if (firstBelowMs === undefined || firstBelowMs >= closedMs) return { kind: "skip", toMs: closedMs };
  const sinceMs = Math.max(alignDown(firstBelowMs, segmentMs), frontierMs);
  return { kind: "fold", sinceMs, toMs: sinceMs + segmentMs };
}
