/**
 * The times of a replay's readings:
 * - `own`: those of the recording;
 * - `end-now`: shifted so that the latest reading is at the start of the replay;
 * - `start-now`: as if live: the first reading is now, and distances are divided by the speed, so that each
 * reading has the time at which it is sent.
 */
export type ReplayTimes = (typeof replayTimes)[number];

/** The choices of ReplayTimes. */
export const replayTimes = ["own", "end-now", "start-now"] as const;

/** Returns the time of a replay's reading, in milliseconds since 1970. */
export function replayTimestampMs({
  times,
  timestampMs,
  firstMs,
  latestMs,
  startedMs,
  speed,
}: {
  times: ReplayTimes;
  /** The recorded time. */
  timestampMs: number;
  /** The first time of the recording. */
  firstMs: number;
  /** The latest time of the recording. */
  latestMs: number;
  /** The start of the replay. */
  startedMs: number;
  speed: number;
}): number {
  if (times === "own") return timestampMs;
  if (times === "end-now") return timestampMs - latestMs + startedMs;
  return Math.floor(startedMs + (timestampMs - firstMs) / speed);
}
