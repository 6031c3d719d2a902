/**
 * Returns the correctly rounded sum of the values: the result of infinite precision, rounded once. With Shewchuk's
 * expansions ("Adaptive Precision Floating-Point Arithmetic", 1997), like Python's math.fsum.
 */
export function exactSum(values: Iterable<number>): number {
  // Non-overlapping parts, from small to large; their sum is exact.
  let parts: number[] = [];
  for (const value of values) {
    let carried = value;
    const next: number[] = [];
    for (const part of parts) {
      const [large, small] = Math.abs(carried) >= Math.abs(part) ? [carried, part] : [part, carried];
      const sum = large + small;
      const lost = small - (sum - large);
      if (lost !== 0) next.push(lost);
      carried = sum;
    }
    next.push(carried);
    parts = next;
  }
  return rounded(parts);
}

function rounded(parts: readonly number[]): number {
  let place = parts.length - 1;
  let sum = parts[place] ?? 0;
  let lost = 0;
  while (place > 0) {
    const high = sum;
    const part = parts[--place] as number;
    sum = high + part;
    lost = part - (sum - high);
    if (lost !== 0) break;
  }
  // Half way between two numbers the next part decides, which rounding to even did not see.
  const below = parts[place - 1];
  if (below !== undefined && ((lost < 0 && below < 0) || (lost > 0 && below > 0))) {
    const twice = lost * 2;
    const next = sum + twice;
    if (twice === next - sum) return next;
  }
  return sum;
}
