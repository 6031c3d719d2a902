/**
 * What some readings of one series add up to. Partials merge; finished averages do not, so none is
 * stored.
 */
export type ReadingPartial = {
  readonly count: number;
  readonly sum: number;
  readonly minimum: number;
  readonly maximum: number;
  /** When the minimum was first measured, ms since 1970. */
  readonly minimumAtMs: number;
  /** When the maximum was first measured, ms since 1970. */
  readonly maximumAtMs: number;
  readonly firstAtMs: number;
  readonly firstValue: number;
  readonly lastAtMs: number;
  readonly lastValue: number;
  /** The sum of squared distances from the mean (M2), merged by Chan's formula, never from sums of squares. */
  readonly m2: number;
};

/**
 * sum / count, within the minimum and the maximum: rounding of the sum, in whichever store and level, never leads
 * out of them.
 */
export function averageOf({ sum, count, minimum, maximum }: ReadingPartial): number {
  return Math.min(Math.max(sum / count, minimum), maximum);
}

/**
 * The standard deviation of the population: 0 where all values are equal, and never above half of the range, which
 * is its mathematical bound.
 */
export function standardDeviationOf({ m2, count, minimum, maximum }: ReadingPartial): number {
  return Math.min(Math.sqrt(Math.max(m2, 0) / count), (maximum - minimum) / 2);
}
