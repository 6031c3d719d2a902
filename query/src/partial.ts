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
