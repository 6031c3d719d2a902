import {
  BUCKET,
  COUNT,
  type ColumnGrouping,
  type ColumnMerge,
  FIRST,
  FIRST_AT,
  FIRST_SERIES,
  FROM_RAW,
  HIGH,
  type IsSeriesBefore,
  LAST,
  LAST_AT,
  LAST_SERIES,
  LOW,
  M2,
  MAXIMUM,
  MAXIMUM_AT,
  type MergedColumns,
  MINIMUM,
  MINIMUM_AT,
  type ReadingRows,
  stride,
} from "./column-sums.ts";
import { windowColumnsOf } from "./window-columns.ts";

/** Creates an empty merge. */
export function createColumnMerge({ groupOf, bucketOf, isBefore }: ColumnGrouping): ColumnMerge {
  let sums = new Float64Array(stride * 8);
  let size = 0;
  /** The partial or the reading that is being added. */
  const one = new Float64Array(stride);
  const reading = {
    length: 1,
    series: new Int32Array(1),
    offsets: new Uint16Array(1),
    startMs: 0,
    values: new Float64Array(1),
    divisor: 1,
  };
  // For each bucket the index of each group's sum, plus one.
  let places = new Int32Array(16);
  const placesOf = new Map([[0, places]]);
  let bucketMs = 0;

  /** Returns the index of the sum of a group and bucket; a new one has a count of 0. */
  function findPlace(group: number, startMs: number): number {
    const bucket = bucketOf === undefined ? 0 : bucketOf(startMs);
    if (bucket !== bucketMs) {
      bucketMs = bucket;
      places = placesOf.get(bucket) ?? new Int32Array(16);
      placesOf.set(bucket, places);
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

  /** The same, for most rows without a call, so that no time is allocated. */
  function placeOf(group: number, startMs: number): number {
    const known = bucketOf === undefined && group < places.length ? (places[group] as number) : 0;
    return known > 0 ? (known - 1) * stride : findPlace(group, startMs);
  }

  return {
    addPartial(series, startMs, count, sum, minimum, maximum, minimumAtMs, maximumAtMs, firstAtMs, ...rest) {
      const group = groupOf(series);
      if (group < 0) return;
      const [firstValue, lastAtMs, lastValue, m2] = rest;
      one[COUNT] = count;
      one[HIGH] = sum;
      one[MINIMUM] = minimum;
      one[MAXIMUM] = maximum;
      one[MINIMUM_AT] = minimumAtMs;
      one[MAXIMUM_AT] = maximumAtMs;
      one[FIRST_AT] = firstAtMs;
      one[FIRST] = firstValue;
      one[LAST_AT] = lastAtMs;
      one[LAST] = lastValue;
      one[M2] = m2;
      one[FIRST_SERIES] = series;
      one[LAST_SERIES] = series;
      // It may replace the sums by larger ones.
      const at = placeOf(group, startMs);
      addSum(sums, at, one, isBefore);
    },
    addReading(series, ms, value) {
      const group = groupOf(series);
      if (group < 0) return;
      reading.series[0] = series;
      reading.values[0] = value;
      reading.startMs = ms;
      const at = placeOf(group, ms);
      addRow(sums, at, reading, 0, isBefore);
    },
    addReadings(rows, { sinceMs, toMs }) {
      const { length, startMs, series, offsets } = rows;
      const since = sinceMs - startMs;
      const to = toMs - startMs;
      for (let row = 0; row < length; row++) {
        const offset = offsets[row] as number;
        if (offset < since || offset >= to) continue;
        const group = groupOf(series[row] as number);
        if (group < 0) continue;
        const at = placeOf(group, startMs + offset);
        addRow(sums, at, rows, row, isBefore);
      }
    },
    addWindows(columns, { sinceMs, toMs }) {
      const { length, windowMs, series: codes, lastSeries, windows, counts, values, offsets } = columns;
      for (let row = 0; row < length; row++) {
        const startMs = (windows[row] as number) * windowMs;
        if (startMs < sinceMs || startMs >= toMs) continue;
        const group = groupOf(codes[row] as number);
        if (group < 0) continue;
        const value = row * 6;
        const offset = row * 4;
        one[COUNT] = counts[row] as number;
        one[HIGH] = values[value] as number;
        one[MINIMUM] = values[value + 1] as number;
        one[MAXIMUM] = values[value + 2] as number;
        one[MINIMUM_AT] = startMs + (offsets[offset] as number);
        one[MAXIMUM_AT] = startMs + (offsets[offset + 1] as number);
        one[FIRST_AT] = startMs + (offsets[offset + 2] as number);
        one[FIRST] = values[value + 3] as number;
        one[LAST_AT] = startMs + (offsets[offset + 3] as number);
        one[LAST] = values[value + 4] as number;
        one[M2] = values[value + 5] as number;
        one[FIRST_SERIES] = codes[row] as number;
        one[LAST_SERIES] = lastSeries[row] as number;
        const at = placeOf(group, startMs);
        addSum(sums, at, one, isBefore);
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

// All figures are passed in typed columns: a number that is passed to a function that the engine does not inline is
// allocated, which was most of the garbage of an answer.

/** As a whole number of 32 bits, which a call does not allocate either. */
function seriesAt(sums: Float64Array, place: number): number {
  return (sums[place] as number) | 0;
}

/** Adds the sum `more` (without LOW, BUCKET and FROM_RAW) to the one at `at`, which has a count of 0 if it is new. */
function addSum(sums: Float64Array, at: number, more: Float64Array, isBefore: IsSeriesBefore): void {
  const known = sums[at + COUNT] as number;
  const count = more[COUNT] as number;
  const sum = more[HIGH] as number;
  if (known === 0) {
    sums[at + HIGH] = sum;
    sums[at + M2] = more[M2] as number;
  } else {
    const high = sums[at + HIGH] as number;
    const low = sums[at + LOW] as number;
    const delta = sum / count - (high + low) / known;
    (sums[at + M2] as number) += (more[M2] as number) + delta * delta * ((known * count) / (known + count));
    const next = high + sum;
    sums[at + LOW] = low + (Math.abs(high) >= Math.abs(sum) ? high - next + sum : sum - next + high);
    sums[at + HIGH] = next;
  }
  sums[at + COUNT] = known + count;
  const minimum = more[MINIMUM] as number;
  const minimumAtMs = more[MINIMUM_AT] as number;
  const lowest = sums[at + MINIMUM] as number;
  const lowestAtMs = sums[at + MINIMUM_AT] as number;
  if (known === 0 || minimum < lowest || (minimum === lowest && minimumAtMs < lowestAtMs)) {
    sums[at + MINIMUM] = minimum;
    sums[at + MINIMUM_AT] = minimumAtMs;
  }
  const maximum = more[MAXIMUM] as number;
  const maximumAtMs = more[MAXIMUM_AT] as number;
  const highest = sums[at + MAXIMUM] as number;
  const highestAtMs = sums[at + MAXIMUM_AT] as number;
  if (known === 0 || maximum > highest || (maximum === highest && maximumAtMs < highestAtMs)) {
    sums[at + MAXIMUM] = maximum;
    sums[at + MAXIMUM_AT] = maximumAtMs;
  }
  const firstAtMs = more[FIRST_AT] as number;
  const first = seriesAt(more, FIRST_SERIES);
  const earliest = sums[at + FIRST_AT] as number;
  if (
    known === 0 ||
    firstAtMs < earliest ||
    (firstAtMs === earliest && isBefore(first, seriesAt(sums, at + FIRST_SERIES)))
  ) {
    sums[at + FIRST_AT] = firstAtMs;
    sums[at + FIRST] = more[FIRST] as number;
    sums[at + FIRST_SERIES] = first;
  }
  const lastAtMs = more[LAST_AT] as number;
  const last = seriesAt(more, LAST_SERIES);
  const latest = sums[at + LAST_AT] as number;
  if (
    known === 0 ||
    lastAtMs > latest ||
    (lastAtMs === latest && isBefore(last, seriesAt(sums, at + LAST_SERIES)))
  ) {
    sums[at + LAST_AT] = lastAtMs;
    sums[at + LAST] = more[LAST] as number;
    sums[at + LAST_SERIES] = last;
  }
}

/** Adds a reading to the sum at `at`, like `addSum`. */
function addRow(
  sums: Float64Array,
  at: number,
  { series, offsets, startMs, values, divisor }: ReadingRows,
  row: number,
  isBefore: IsSeriesBefore,
): void {
  const code = series[row] as number;
  const ms = startMs + (offsets[row] as number);
  const value = (values[row] as number) / divisor;
  const known = sums[at + COUNT] as number;
  sums[at + COUNT] = known + 1;
  (sums[at + FROM_RAW] as number)++;
  if (known === 0) {
    sums[at + HIGH] = value;
    for (const field of [MINIMUM, MAXIMUM, FIRST, LAST]) sums[at + field] = value;
    for (const field of [MINIMUM_AT, MAXIMUM_AT, FIRST_AT, LAST_AT]) sums[at + field] = ms;
    sums[at + FIRST_SERIES] = code;
    sums[at + LAST_SERIES] = code;
    return;
  }
  const high = sums[at + HIGH] as number;
  const low = sums[at + LOW] as number;
  const delta = value - (high + low) / known;
  (sums[at + M2] as number) += delta * delta * (known / (known + 1));
  const next = high + value;
  sums[at + LOW] = low + (Math.abs(high) >= Math.abs(value) ? high - next + value : value - next + high);
  sums[at + HIGH] = next;
  const lowest = sums[at + MINIMUM] as number;
  if (value < lowest || (value === lowest && ms < (sums[at + MINIMUM_AT] as number))) {
    sums[at + MINIMUM] = value;
    sums[at + MINIMUM_AT] = ms;
  }
  const highest = sums[at + MAXIMUM] as number;
  if (value > highest || (value === highest && ms < (sums[at + MAXIMUM_AT] as number))) {
    sums[at + MAXIMUM] = value;
    sums[at + MAXIMUM_AT] = ms;
  }
  const earliest = sums[at + FIRST_AT] as number;
  if (ms < earliest || (ms === earliest && isBefore(code, seriesAt(sums, at + FIRST_SERIES)))) {
    sums[at + FIRST_AT] = ms;
    sums[at + FIRST] = value;
    sums[at + FIRST_SERIES] = code;
  }
  const latest = sums[at + LAST_AT] as number;
  if (ms > latest || (ms === latest && isBefore(code, seriesAt(sums, at + LAST_SERIES)))) {
    sums[at + LAST_AT] = ms;
    sums[at + LAST] = value;
    sums[at + LAST_SERIES] = code;
  }
}
