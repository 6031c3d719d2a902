import { millisecondsFloor, type ProtoTimestamp } from "@devicemesh/proto";
import { allTime, type Span } from "../plan/planner.ts";

/** The timeframe of a request: its bounds, and its timestamps, clamped to `allTime`. */
export type Timeframe = Span & { readonly hasSince: boolean; readonly hasTo: boolean };

/**
 * Returns the timeframe of a request. Bounds are truncated to milliseconds like the timestamps of readings: with
 * `since` the timestamp of a sent reading, the reading is included; with `to`, it is not. It may be empty.
 */
export function timeframeOf(request: {
  readonly since?: ProtoTimestamp | undefined;
  readonly to?: ProtoTimestamp | undefined;
}): Timeframe {
  const { since, to } = request;
  const sinceMs = within(since ? millisecondsFloor(since) : allTime.sinceMs);
  const toMs = within(to ? millisecondsFloor(to) : allTime.toMs);
  return { sinceMs, toMs: Math.max(sinceMs, toMs), hasSince: since !== undefined, hasTo: to !== undefined };
}

function within(ms: number): number {
  return Math.min(Math.max(ms, allTime.sinceMs), allTime.toMs);
}
