/**
 * The summary of some readings of one series. Partials can be merged; finished averages cannot, so none is stored.
 */
export type ReadingPartial = {
  readonly count: number;
  readonly sum: number;
  readonly minimum: number;
  readonly maximum: number;
  /** The earliest time of the minimum, ms since 1970. */
  readonly minimumAtMs: number;
  /** The earliest time of the maximum, ms since 1970. */
  readonly maximumAtMs: number;
  readonly firstAtMs: number;
  readonly firstValue: number;
  readonly lastAtMs: number;
  readonly lastValue: number;
  /** The sum of squared distances from the mean (M2), merged by Chan's formula, never from sums of squares. */
  readonly m2: number;
};

/**
 * Returns sum / count, within the minimum and the maximum whatever the rounding of the sum in any store and level.
 */
export function averageOf({ sum, count, minimum, maximum }: ReadingPartial): number {
  return Math.min(Math.max(sum / count, minimum), maximum);
}

/**
 * Returns the standard deviation of the population: 0 if all values are equal, and at most half of the range, which is
 * its mathematical bound.
 */
export function standardDeviationOf({ m2, count, minimum, maximum }: ReadingPartial): number {
  return Math.min(Math.sqrt(Math.max(m2, 0) / count), (maximum - minimum) / 2);
}
