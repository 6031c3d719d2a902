import type { Level } from "@devicemesh/proto";
import type { Fault } from "../fleet/fault-plan.ts";
import { batchIntervalMs, clockStepShare, headroom, sinkCommitMs, stepMs } from "../limits.ts";

/**
 * The longest time, in ms, from an append until the frontier passes it, without a fault: the rest of the segment; a
 * batch that reads up to its end, one that closes it with the watermark of the first, and the one that ran meanwhile;
 * the sink's time for the partials of the segment; and commits and steps of the aggregator, one of which may fall on a
 * crash of a reader. `partials` is the number of partials for each message.
 */
export function longestLag(level: Level, partials: number): number {
  return (
    level.segmentMs * (1 + partials / headroom) +
    3 * (batchIntervalMs + stepMs) +
    2 * sinkCommitMs +
    3 * stepMs
  );
}

/**
 * The longest lag because of a fault, in ms. While it lasts the frontier stands still; afterwards the window job needs
 * the time that its backlog takes with the capacity that the load leaves, since a watermark counts from the next batch,
 * and the sink the time for the partials of that. A clock that is set back holds the frontier until it has caught up.
 */
export function longestLagOf({ kind, sinceMs, toMs }: Fault, level: Level, partials: number): number {
  const lastsMs = toMs - sinceMs;
  const standsMs = kind === "clock" ? lastsMs / clockStepShare : lastsMs;
  const backlogMs = kind === "spark" ? lastsMs / (headroom - 1) + (lastsMs * partials) / headroom : 0;
  return longestLag(level, partials) + standsMs + backlogMs;
}
