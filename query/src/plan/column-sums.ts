import type { ReadingPartial } from "./merge.ts";
import type { WindowColumns } from "./window-columns.ts";

// The positions of the figures of one sum in the columns of a merge. The sum of values is HIGH + LOW: LOW has the rounding
// error of HIGH (Neumaier).
export const COUNT = 0;
export const HIGH = 1;
export const LOW = 2;
export const MINIMUM = 3;
export const MAXIMUM = 4;
export const MINIMUM_AT = 5;
export const MAXIMUM_AT = 6;
export const FIRST_AT = 7;
export const FIRST = 8;
export const LAST_AT = 9;
export const LAST = 10;
export const M2 = 11;
export const FROM_RAW = 12;
export const FIRST_SERIES = 13;
export const LAST_SERIES = 14;
export const BUCKET = 15;

/** The number of figures of one sum. */
export const stride = 16;

/** Whether the name of one series comes before that of another, which decides between readings at the same time. */
export type IsSeriesBefore = (series: number, other: number) => boolean;

/** Readings of one span of time in columns. */
export type ReadingRows = {
  readonly length: number;
  /** The store's numbers of the series. */
  readonly series: Int32Array | Uint16Array;
  /** The timestamps, in ms after `startMs`. */
  readonly offsets: Uint16Array;
  readonly startMs: number;
  /** The value of a reading is `values[row] / divisor`. */
  readonly values: Float64Array | Int32Array;
  readonly divisor: number;
};

/** The summary of some readings of one group and bucket; series are the store's numbers. */
export type MergedColumns = ReadingPartial & {
  readonly bucketMs: number;
  readonly fromRaw: number;
  /** The series of `first` and `last`. */
  readonly firstSeries: number;
  readonly lastSeries: number;
};

/** The grouping of the rows. */
export type ColumnGrouping = {
  /** Returns the group of a series, a small whole number; -1 for an excluded series. */
  readonly groupOf: (series: number) => number;
  /** Returns the start of the bucket of a time, in ms; one bucket of 0 if left out. */
  readonly bucketOf?: ((ms: number) => number) | undefined;
  readonly isBefore: IsSeriesBefore;
};

/** A span of window starts or of timestamps, ms since 1970. */
export type Within = { readonly sinceMs: number; readonly toMs: number };

/** One partial of one series: its start in ms, and its figures. */
export type AddPartial = (
  series: number,
  startMs: number,
  count: number,
  sum: number,
  minimum: number,
  maximum: number,
  minimumAtMs: number,
  maximumAtMs: number,
  firstAtMs: number,
  firstValue: number,
  lastAtMs: number,
  lastValue: number,
  m2: number,
) => void;

/** Merges rows by group and bucket, like `mergePartials`, without allocating an object for a row. */
export type ColumnMerge = {
  readonly addPartial: AddPartial;
  addReading(series: number, timestampMs: number, value: number): void;
  /** Adds the readings whose timestamps are within the span. */
  addReadings(rows: ReadingRows, within: Within): void;
  /** Adds the rows whose windows start within the span. */
  addWindows(windows: WindowColumns, within: Within): void;
  /** Number of groups and buckets with readings. */
  readonly size: number;
  merged(): MergedColumns[];
  /** Returns the groups and the buckets, which must be windows of this size, as columns. */
  toWindows(windowMs: number): WindowColumns;
};
