/** The median and the extremes of some figures. */
export type Spread = { readonly median: number; readonly minimum: number; readonly maximum: number };

/** @throws RangeError if there are no figures. */
export function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  return { median: middleOf(sorted), minimum: sorted[0]!, maximum: sorted.at(-1)! };
}

/** Returns the value that `share` (0 to 1) of the values do not exceed: an actual value, by nearest rank. */
export function percentile(values: readonly number[], share: number): number {
  if (values.length === 0) throw new RangeError("no values");
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)]!;
}

/** The median and the 99th percentile of some values, by nearest rank. */
export type Percentiles = { readonly p50: number; readonly p99: number };

/** @throws RangeError if there are no values. */
export function percentilesOf(values: readonly number[]): Percentiles {
  return { p50: percentile(values, 0.5), p99: percentile(values, 0.99) };
}

function middleOf(sorted: readonly number[]): number {
  if (sorted.length === 0) throw new RangeError("no values");
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}
