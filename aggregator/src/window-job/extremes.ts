/** The extremes of a group of rows `value` and `at`, as expressions of Spark's SQL. */
export type ExtremesSql = {
  /** Columns that each row needs: "expression AS name". */
  readonly columns: readonly string[];
  /** Gives `low_at`, `high_at`, `first_at`, `first_value`, `last_at` and `last_value`, beside what the others use. */
  readonly aggregates: readonly string[];
  readonly minimum: string;
  readonly maximum: string;
};

/**
 * Minimum and maximum with the earliest time of each, first and last, from numbers alone, which Spark updates in
 * place. Aggregates over structs make it sort all rows by group.
 *
 * The rows are of one window of `windowMs`. An ordering key is one double: the upper bits of the value, and below them
 * the time in the window. Among equal values the key of the earliest is the least (for a maximum: the largest). So
 * the row with the extreme key is the right one if it has the extreme value. It may not have it only where
 * values of the window differ by less than 2^-36 of their size (for windows of 10 s) without being equal: then
 * the figure is NaN, the sink rejects the partial, and the window is answered from raw readings.
 *
 * First and last are ordered by time. Only conflicts have equal times, and their windows are marked; of these the lower
 * value is the first and the higher one the last, as far as a double distinguishes them.
 */
export function extremesSql(windowMs: number): ExtremesSql {
  const offsetBits = Math.ceil(Math.log2(windowMs));
  const offset = `pmod(at, ${windowMs}L)`;
  // So that nothing overflows.
  const scaled = `(value * ${double(2 ** -40)})`;
  // Veltkamp's splitting rounds to the upper bits.
  const product = `(${scaled} * ${double(2 ** (offsetBits + 3) + 1)})`;
  const upper = `(${product} - (${product} - ${scaled}))`;
  // Two units in the last place for each millisecond, so that rounding keeps them apart.
  const later = `(abs(${upper}) * ${offset} * ${double(2 ** -51)})`;
  // Of zero, and of what is too small to have all bits, the time alone.
  const isTiny = `abs(value) < ${double(1e-280)}`;
  const laterOfTiny = `(${offset} * ${double(1e-306)})`;
  return {
    columns: [
      `IF(${isTiny}, ${laterOfTiny}, ${upper} + ${later}) AS low_key`,
      `IF(${isTiny}, -${laterOfTiny}, ${upper} - ${later}) AS high_key`,
      `${offset} + 0.5D + value / (1D + abs(value)) * 0.49D AS time_key`,
    ],
    aggregates: [
      "min(value) AS low",
      "min_by(value, low_key) AS low_value",
      "min_by(at, low_key) AS low_at",
      "max(value) AS high",
      "max_by(value, high_key) AS high_value",
      "max_by(at, high_key) AS high_at",
      "min(at) AS first_at",
      "min_by(value, time_key) AS first_value",
      "max(at) AS last_at",
      "max_by(value, time_key) AS last_value",
    ],
    minimum: "IF(low = low_value, low, double('NaN'))",
    maximum: "IF(high = high_value, high, double('NaN'))",
  };
}

/** A number as Spark's SQL reads it, with all its digits. */
function double(value: number): string {
  return `${value.toExponential()}D`;
}
