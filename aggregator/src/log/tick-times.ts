/** How long after a whole interval of the log's clock a round of ticks is due, in ms. */
const marginMs = 2;

/**
 * Returns the delay until the next round of ticks, in ms: directly after the next whole interval of the log's clock,
 * later by the skew of the brokers' clocks. Segments end on whole intervals, so a round comes directly after each end
 * and Spark closes the segment with its next batches.
 */
export function nextTickDelayMs(options: {
  /** This aggregator's own clock, ms since 1970. */
  readonly nowMs: number;
  /** By how much the log's clock is ahead of it, in ms: at most, so that no tick is before the end of a segment. */
  readonly logAheadMs: number;
  readonly clockSkewMs: number;
  readonly intervalMs: number;
}): number {
  const { nowMs, logAheadMs, clockSkewMs, intervalMs } = options;
  const phaseMs = clockSkewMs + marginMs;
  const logMs = nowMs + logAheadMs;
  return (Math.floor((logMs - phaseMs) / intervalMs) + 1) * intervalMs + phaseMs - logMs;
}
