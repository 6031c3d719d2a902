/** How long after a whole interval of the log's clock a round of ticks is due, in ms. */
const marginMs = 2;

/**
 * By how much Spark counts a tick as later than its append time, in ms: see the window job's plan. It needs a tick to
 * close a segment, and so one that is appended shortly before the segment's end suffices.
 */
export const tickLeadMs = 100;

/** How long before the end of a segment its early ticks are due, in ms: by less than the lead, as clocks are read. */
const earlyMs = 60;

/**
 * Returns the delay until the next round of ticks, in ms: directly after the next whole interval of the log's clock,
 * or shortly before the next end of a segment; later by the skew of the brokers' clocks. Segments end on whole
 * intervals. Spark's batches start on whole seconds too: the one that starts as a segment ends reads the early ticks,
 * and the one after it closes the segment. The ticks after the end prove that it has read everything before it.
 */
export function nextTickDelayMs(options: {
  /** This aggregator's own clock, ms since 1970. */
  readonly nowMs: number;
  /** By how much the log's clock is ahead of it, in ms: at most, so that no tick is before the end of a segment. */
  readonly logAheadMs: number;
  readonly clockSkewMs: number;
  readonly intervalMs: number;
  readonly segmentMs: number;
}): number {
  const { nowMs, logAheadMs, clockSkewMs, intervalMs, segmentMs } = options;
  const logMs = nowMs + logAheadMs - clockSkewMs;
  return Math.min(untilNext(logMs, intervalMs, marginMs), untilNext(logMs, segmentMs, -earlyMs));
}

/** Returns the time until the next moment that is `phaseMs` after a multiple of `periodMs`, in ms; above 0. */
function untilNext(ms: number, periodMs: number, phaseMs: number): number {
  return (Math.floor((ms - phaseMs) / periodMs) + 1) * periodMs + phaseMs - ms;
}
