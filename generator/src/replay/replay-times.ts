/**
 * What times the readings of a replay have:
 * - `own`: those of the recording;
 * - `end-now`: shifted so that the latest reading is at the moment the replay starts;
 * - `start-now`: as if live: the first reading is now, and distances are divided by the speed, so that each
 *   reading has the time at which it is sent.
 */
export type ReplayTimes = (typeof replayTimes)[number];

/** The choices of ReplayTimes. */
export const replayTimes = ["own", "end-now", "start-now"] as const;

/** The time that a reading of a replay has, in milliseconds since 1970. */
export function replayTimestampMs({
  times,
  timestampMs,
  firstMs,
  latestMs,
  startedMs,
  speed,
}: {
  times: ReplayTimes;
  /** As recorded. */
  timestampMs: number;
  /** The first reading of the recording. */
  firstMs: number;
  /** The latest reading of the recording. */
  latestMs: number;
  /** When the replay started. */
  startedMs: number;
  speed: number;
}): number {
  if (times === "own") return timestampMs;
  if (times === "end-now") return timestampMs - latestMs + startedMs;
  return Math.floor(startedMs + (timestampMs - firstMs) / speed);
}
