import {
  BUCKET,
  COUNT,
  FIRST,
  FIRST_AT,
  FIRST_SERIES,
  HIGH,
  LAST,
  LAST_AT,
  LAST_SERIES,
  LOW,
  M2,
  MAXIMUM,
  MAXIMUM_AT,
  MINIMUM,
  MINIMUM_AT,
  stride,
} from "./column-sums.ts";

/**
 * Sums of windows by column: each row is the summary of one series, or of one group of series, in one window. Times are
 * stored as offsets from the start of the window, so that a row takes about 70 bytes.
 */
export type WindowColumns = {
  readonly length: number;
  /** The size of a window in ms; a row's window starts at `windows[row] * windowMs`. */
  readonly windowMs: number;
  /** The store's numbers of the series; of a group, the series of its first reading. */
  readonly series: Int32Array;
  /** The series of the last reading; the same array as `series` if each row is of one series. */
  readonly lastSeries: Int32Array;
  readonly windows: Uint32Array;
  readonly counts: Uint16Array | Uint32Array | Float64Array;
  /** For each row: sum, minimum, maximum, first value, last value, M2. */
  readonly values: Float64Array;
  /** For each row, ms after the start of the window: the times of minimum, maximum, first and last. */
  readonly offsets: Uint16Array | Uint32Array;
  readonly bytes: number;
};

/** The window sizes, in ms, whose starts and offsets fit the columns for all times. */
export function fitsColumns(windowMs: number): boolean {
  return windowMs >= 1000 && windowMs < 2 ** 32;
}

/** Converts the first `length` sums of a merge, whose buckets are windows of this size. */
export function windowColumnsOf(sums: Float64Array, length: number, windowMs: number): WindowColumns {
  const Offsets = windowMs < 2 ** 16 ? Uint16Array : Uint32Array;
  const series = new Int32Array(length);
  const lasts = new Int32Array(length);
  const windows = new Uint32Array(length);
  const counts = countsOf(sums, length);
  const values = new Float64Array(length * 6);
  const offsets = new Offsets(length * 4);
  let isOfOne = true;
  for (let row = 0; row < length; row++) {
    const at = row * stride;
    const startMs = sums[at + BUCKET] as number;
    series[row] = sums[at + FIRST_SERIES] as number;
    lasts[row] = sums[at + LAST_SERIES] as number;
    isOfOne &&= series[row] === lasts[row];
    windows[row] = startMs / windowMs;
    counts[row] = sums[at + COUNT] as number;
    values[row * 6] = (sums[at + HIGH] as number) + (sums[at + LOW] as number);
    for (const [place, field] of [MINIMUM, MAXIMUM, FIRST, LAST, M2].entries()) {
      values[row * 6 + 1 + place] = sums[at + field] as number;
    }
    for (const [place, field] of [MINIMUM_AT, MAXIMUM_AT, FIRST_AT, LAST_AT].entries()) {
      offsets[row * 4 + place] = (sums[at + field] as number) - startMs;
    }
  }
  const columns = [series, windows, counts, values, offsets, ...(isOfOne ? [] : [lasts])];
  const bytes = columns.reduce((sum, { byteLength }) => sum + byteLength, 0);
  const lastSeries = isOfOne ? series : lasts;
  return { length, windowMs, series, lastSeries, windows, counts, values, offsets, bytes };
}

/** Returns an empty column that fits the counts: those of a group have no bound. */
function countsOf(sums: Float64Array, length: number): WindowColumns["counts"] {
  let most = 0;
  for (let place = 0; place < length; place++) most = Math.max(most, sums[place * stride + COUNT] as number);
  if (most < 2 ** 16) return new Uint16Array(length);
  return most < 2 ** 32 ? new Uint32Array(length) : new Float64Array(length);
}
