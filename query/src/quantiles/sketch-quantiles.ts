import type { QuantileValue } from "./quantiles.ts";
import { bucketMiddle, sketchRelativeError } from "./value-buckets.ts";

/** The number of values in each value bucket; see value-buckets.ts. */
export type Sketch = ReadonlyMap<number, number>;

/**
 * Returns quantiles of the values that a sketch counts, with the definition of `quantilesOf`; none of an empty sketch.
 * `minimum` and `maximum` are the exact ones: they are the quantiles 0 and 1. Any other value differs by at
 * most `sketchRelativeError` from the exact quantile, relative to the larger magnitude of the two values next to its
 * rank, which is relative to the quantile itself unless 0 lies between them; values below `zeroBelow` count as 0.
 */
export function sketchQuantiles(
  sketch: Sketch,
  { minimum, maximum }: { readonly minimum: number; readonly maximum: number },
  quantiles: readonly number[],
): readonly QuantileValue[] {
  const buckets = [...sketch].sort(([a], [b]) => a - b);
  const count = buckets.reduce((sum, [, values]) => sum + values, 0);
  if (count === 0) return [];
  const isEnd = (rank: number): boolean => rank === 0 || rank === count - 1;

  function valueAt(rank: number): number {
    if (rank === 0) return minimum;
    if (rank === count - 1) return maximum;
    let before = 0;
    const found = buckets.find(([, values]) => {
      before += values;
      return before > rank;
    });
    const [bucket] = found as [number, number];
    return Math.min(Math.max(bucketMiddle(bucket), minimum), maximum);
  }

  return quantiles.map((quantile) => {
    const rank = quantile * (count - 1);
    const [low, high] = [Math.floor(rank), Math.ceil(rank)];
    const [below, above] = [valueAt(low), valueAt(high)];
    const isExact = minimum === maximum || (isEnd(low) && isEnd(high));
    // Not below + share * (above - below): that difference may exceed the largest number.
    const value = below * (1 - (rank - low)) + above * (rank - low);
    return {
      quantile,
      value: Math.min(Math.max(value, below), above),
      relativeError: isExact ? 0 : sketchRelativeError,
    };
  });
}
