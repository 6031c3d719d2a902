import { alignDown } from "@devicemesh/proto";

/** What to do next for a coarse level. Times are ms by the log's clock. */
export type NextFold =
  /** Nothing: no segment of the level has closed. */
  | { readonly kind: "none" }
  /** Nothing arrived before `toMs`: the frontier may go there as it is. */
  | { readonly kind: "skip"; readonly toMs: number }
  /** Fold what arrived in the segment [sinceMs, toMs), then move the frontier to toMs. */
  | { readonly kind: "fold"; readonly sinceMs: number; readonly toMs: number };

/**
 * The next segment of a level that can be folded: one that lies wholly before the frontier of the level
 * below, whose partials are permanent. One segment at a time, and none without partials, so that each
 * step is bounded and long silences cost nothing.
 */
export function nextFold(options: {
  readonly segmentMs: number;
  /** The level's own frontier. */
  readonly frontierMs: number;
  /** The frontier of the level below. */
  readonly belowFrontierMs: number;
  /** The first segment below, at or after `frontierMs`, that has a partial; undefined if none has. */
  readonly firstBelowMs: number | undefined;
}): NextFold {
  const { segmentMs, frontierMs, belowFrontierMs, firstBelowMs } = options;
  const closedMs = alignDown(belowFrontierMs, segmentMs);
  if (closedMs <= frontierMs) return { kind: "none" };
  if (firstBelowMs === undefined || firstBelowMs >= closedMs) return { kind: "skip", toMs: closedMs };
  const sinceMs = Math.max(alignDown(firstBelowMs, segmentMs), frontierMs);
  return { kind: "fold", sinceMs, toMs: sinceMs + segmentMs };
}
