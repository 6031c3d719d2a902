import { millisecondsCeil, type ProtoTimestamp } from "@devicemesh/proto";
import { allTime, type Span } from "./planner.ts";

/** The timeframe of a request: which bounds it has, and the timestamps in it, clamped to `allTime`. */
export type Timeframe = Span & { readonly hasSince: boolean; readonly hasTo: boolean };

/**
 * The timeframe of a request. Bounds are rounded up to milliseconds: readings have whole milliseconds, so
 * these take the same readings. It may be empty.
 */
export function timeframeOf(request: {
  readonly since?: ProtoTimestamp | undefined;
  readonly to?: ProtoTimestamp | undefined;
}): Timeframe {
  const { since, to } = request;
  const sinceMs = within(since ? millisecondsCeil(since) : allTime.sinceMs);
  const toMs = within(to ? millisecondsCeil(to) : allTime.toMs);
  return { sinceMs, toMs: Math.max(sinceMs, toMs), hasSince: since !== undefined, hasTo: to !== undefined };
}

function within(ms: number): number {
  return Math.min(Math.max(ms, allTime.sinceMs), allTime.toMs);
}
