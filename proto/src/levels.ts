/**
 * A level of windows. A partial of the level is the summary of one series in one window (by the device's clock) and one
 * segment (by the log's clock).
 */
export type Level = {
  /** The size of its windows in milliseconds, aligned to 1970; a multiple of the size of the next finer level. */
  readonly windowMs: number;
  /** The size of its segments in milliseconds, aligned to 1970; a multiple of the size of the next finer level. */
  readonly segmentMs: number;
};

/** The default levels, the finest first: 10 s, 10 min, 1 day. */
export const defaultLevels: readonly Level[] = [
  { windowMs: 10_000, segmentMs: 10_000 },
  { windowMs: 600_000, segmentMs: 600_000 },
  { windowMs: 86_400_000, segmentMs: 86_400_000 },
];
