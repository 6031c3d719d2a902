import {
  BUCKET,
  COUNT,
  FIRST,
  FIRST_AT,
  FIRST_SERIES,
  FROM_RAW,
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
import type { ReadingPartial } from "./merge.ts";
import { type WindowColumns, windowColumnsOf } from "./window-columns.ts";

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
  /** Whether the name of one series comes before that of another, which decides between readings at the same time. */
  readonly isBefore: (series: number, other: number) => boolean;
};

/** A span of window starts, ms since 1970. */
type Within = { readonly sinceMs: number; readonly toMs: number };

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
  /** Adds the rows whose windows start within the span. */
  addWindows(windows: WindowColumns, within: Within): void;
  /** Number of groups and buckets with readings. */
  readonly size: number;
  merged(): MergedColumns[];
  /** Returns the groups and the buckets, which must be windows of this size, as columns. */
  toWindows(windowMs: number): WindowColumns;
};

/** Creates an empty merge. */
export function createColumnMerge({ groupOf, bucketOf, isBefore }: ColumnGrouping): ColumnMerge {
  let sums = new Float64Array(stride * 64);
  let size = 0;
  // For each bucket the index of each group's sum, plus one.
  const placesOf = new Map<number, Int32Array>();
  let bucketMs = 0;
  let places = bucketPlaces(0);

  function bucketPlaces(ms: number): Int32Array {
    const known = placesOf.get(ms) ?? new Int32Array(16);
    placesOf.set(ms, known);
    return known;
  }

  /** Returns the index of the sum of a group and bucket; a new one has a count of 0. */
  function placeOf(group: number, startMs: number): number {
    const bucket = bucketOf === undefined ? 0 : bucketOf(startMs);
    if (bucket !== bucketMs) {
      bucketMs = bucket;
      places = bucketPlaces(bucket);
    }
    if (group >= places.length) {
      const larger = new Int32Array(Math.max(group + 1, places.length * 2));
      larger.set(places);
      places = larger;
      placesOf.set(bucketMs, larger);
    }
    const known = places[group] as number;
    if (known > 0) return (known - 1) * stride;
    if ((size + 1) * stride > sums.length) {
      const larger = new Float64Array(sums.length * 2);
      larger.set(sums);
      sums = larger;
    }
    const at = size * stride;
    places[group] = ++size;
    sums[at + BUCKET] = bucket;
    return at;
  }

  function addTo(
    at: number,
    series: number,
    lastSeries: number,
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
  ): void {
    const known = sums[at + COUNT] as number;
    if (known === 0) {
      sums[at + HIGH] = sum;
      sums[at + M2] = m2;
    } else {
      const high = sums[at + HIGH] as number;
      const low = sums[at + LOW] as number;
      const delta = sum / count - (high + low) / known;
      (sums[at + M2] as number) += m2 + delta * delta * ((known * count) / (known + count));
      const next = high + sum;
      sums[at + LOW] = low + (Math.abs(high) >= Math.abs(sum) ? high - next + sum : sum - next + high);
      sums[at + HIGH] = next;
    }
    sums[at + COUNT] = known + count;
    const lowest = sums[at + MINIMUM] as number;
    if (known === 0 || minimum < lowest) {
      sums[at + MINIMUM] = minimum;
      sums[at + MINIMUM_AT] = minimumAtMs;
    } else if (minimum === lowest && minimumAtMs < (sums[at + MINIMUM_AT] as number)) {
      sums[at + MINIMUM_AT] = minimumAtMs;
    }
    const highest = sums[at + MAXIMUM] as number;
    if (known === 0 || maximum > highest) {
      sums[at + MAXIMUM] = maximum;
      sums[at + MAXIMUM_AT] = maximumAtMs;
    } else if (maximum === highest && maximumAtMs < (sums[at + MAXIMUM_AT] as number)) {
      sums[at + MAXIMUM_AT] = maximumAtMs;
    }
    const earliest = sums[at + FIRST_AT] as number;
    if (
      known === 0 ||
      firstAtMs < earliest ||
      (firstAtMs === earliest && isBefore(series, sums[at + FIRST_SERIES] as number))
    ) {
      sums[at + FIRST_AT] = firstAtMs;
      sums[at + FIRST] = firstValue;
      sums[at + FIRST_SERIES] = series;
    }
    const latest = sums[at + LAST_AT] as number;
    if (
      known === 0 ||
      lastAtMs > latest ||
      (lastAtMs === latest && isBefore(lastSeries, sums[at + LAST_SERIES] as number))
    ) {
      sums[at + LAST_AT] = lastAtMs;
      sums[at + LAST] = lastValue;
      sums[at + LAST_SERIES] = lastSeries;
    }
  }

  return {
    addPartial(series, startMs, count, sum, minimum, maximum, minimumAtMs, maximumAtMs, firstAtMs, ...rest) {
      const group = groupOf(series);
      if (group < 0) return;
      const at = placeOf(group, startMs);
      addTo(at, series, series, count, sum, minimum, maximum, minimumAtMs, maximumAtMs, firstAtMs, ...rest);
    },
    addReading(series, ms, value) {
      const group = groupOf(series);
      if (group < 0) return;
      const at = placeOf(group, ms);
      addTo(at, series, series, 1, value, value, value, ms, ms, ms, value, ms, value, 0);
      (sums[at + FROM_RAW] as number)++;
    },
    addWindows(columns, { sinceMs, toMs }) {
      const { length, windowMs, series: codes, lastSeries, windows, counts, values, offsets } = columns;
      for (let row = 0; row < length; row++) {
        const startMs = (windows[row] as number) * windowMs;
        if (startMs < sinceMs || startMs >= toMs) continue;
        const series = codes[row] as number;
        const group = groupOf(series);
        if (group < 0) continue;
        const value = row * 6;
        const offset = row * 4;
        addTo(
          placeOf(group, startMs),
          series,
          lastSeries[row] as number,
          counts[row] as number,
          values[value] as number,
          values[value + 1] as number,
          values[value + 2] as number,
          startMs + (offsets[offset] as number),
          startMs + (offsets[offset + 1] as number),
          startMs + (offsets[offset + 2] as number),
          values[value + 3] as number,
          startMs + (offsets[offset + 3] as number),
          values[value + 4] as number,
          values[value + 5] as number,
        );
      }
    },
    get size() {
      return size;
    },
    merged: () => Array.from({ length: size }, (_, place) => mergedOf(sums, place * stride)),
    toWindows: (windowMs) => windowColumnsOf(sums, size, windowMs),
  };
}

function mergedOf(sums: Float64Array, at: number): MergedColumns {
  const figure = (field: number): number => sums[at + field] as number;
  return {
    count: figure(COUNT),
    sum: figure(HIGH) + figure(LOW),
    minimum: figure(MINIMUM),
    maximum: figure(MAXIMUM),
    minimumAtMs: figure(MINIMUM_AT),
    maximumAtMs: figure(MAXIMUM_AT),
    firstAtMs: figure(FIRST_AT),
    firstValue: figure(FIRST),
    lastAtMs: figure(LAST_AT),
    lastValue: figure(LAST),
    m2: figure(M2),
    bucketMs: figure(BUCKET),
    fromRaw: figure(FROM_RAW),
    firstSeries: figure(FIRST_SERIES),
    lastSeries: figure(LAST_SERIES),
  };
}
