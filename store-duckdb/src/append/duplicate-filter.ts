import type { Appended, MessageBatch } from "@devicemesh/ingest";
import type { SeriesRegistry } from "../series/series-registry.ts";

/** Readings in columns, to be stored or looked up. Grows as needed and is reused. */
export type ReadingColumns = {
  length: number;
  series: Int32Array;
  timestampsMs: Float64Array;
  values: Float64Array;
};

/** The classification of one commit's messages. */
export type SortedMessages = {
  /** New readings, without a stored identity. */
  readonly fresh: ReadingColumns;
  /** Messages that may be duplicates: they are not later than everything known of their series. */
  readonly possibleDuplicates: ReadingColumns;
};

/** Creates empty columns with capacity for `capacity` rows. */
export function createReadingColumns(capacity: number): ReadingColumns {
  return {
    length: 0,
    series: new Int32Array(capacity),
    timestampsMs: new Float64Array(capacity),
    values: new Float64Array(capacity),
  };
}

/** Appends a row. */
export function pushReading(
  columns: ReadingColumns,
  series: number,
  timestampMs: number,
  value: number,
): void {
  reserve(columns, 1);
  const row = columns.length;
  columns.series[row] = series;
  columns.timestampsMs[row] = timestampMs;
  columns.values[row] = value;
  columns.length = row + 1;
}

/**
 * Separates the messages of a batch into new ones, which are later than everything known of their series, and unknown
 * ones. Raises the registry's latest timestamps.
 */
export function sortBatch(batch: MessageBatch, registry: SeriesRegistry, into: SortedMessages): void {
  const { deviceIds, sensorCodes, timestampsMs, values } = batch;
  const { fresh, possibleDuplicates } = into;
  reserve(fresh, batch.length);
  // The hot loop: columns and length in locals, so that a row is three plain stores.
  const { series: freshSeries, timestampsMs: freshTimestampsMs, values: freshValues } = fresh;
  let freshRow = fresh.length;
  for (let row = 0; row < batch.length; row++) {
    const code = registry.codeOf(deviceIds[row] as string, sensorCodes[row] as number);
    const timestampMs = timestampsMs[row] as number;
    if (registry.advance(code, timestampMs)) {
      freshSeries[freshRow] = code;
      freshTimestampsMs[freshRow] = timestampMs;
      freshValues[freshRow] = values[row] as number;
      freshRow++;
    } else {
      pushReading(possibleDuplicates, code, timestampMs, values[row] as number);
    }
  }
  fresh.length = freshRow;
}

/**
 * Receives each duplicate or conflict; the values are equal for a duplicate. `row` is its place in `possibleDuplicates`.
 */
export type OnDuplicate = (
  series: number,
  timestampMs: number,
  values: { readonly stored: number; readonly refused: number },
  row: number,
) => void;

/**
 * Moves the unknown messages that are new to `fresh`, in order, and counts the others. A message is a duplicate or
 * conflict of a stored reading, of a fresh one of the same commit, or of an earlier unknown one.
 * @param stored the value of the stored reading of an identity, or undefined if none is stored.
 */
export function settleUnknown(
  { fresh, possibleDuplicates }: SortedMessages,
  stored: (series: number, timestampMs: number) => number | undefined,
  onDuplicate: OnDuplicate = () => {},
): { duplicates: number; conflicts: number } {
  const inCommit = indexOfSeries(fresh, possibleDuplicates);
  let duplicates = 0;
  let conflicts = 0;
  for (let row = 0; row < possibleDuplicates.length; row++) {
    const series = possibleDuplicates.series[row] as number;
    const timestampMs = possibleDuplicates.timestampsMs[row] as number;
    const value = possibleDuplicates.values[row] as number;
    const ofSeries = inCommit.get(series);
    const first = stored(series, timestampMs) ?? ofSeries?.get(timestampMs);
    if (first === undefined) {
      ofSeries?.set(timestampMs, value);
      pushReading(fresh, series, timestampMs, value);
      continue;
    }
    if (first === value) duplicates++;
    else conflicts++;
    onDuplicate(series, timestampMs, { stored: first, refused: value }, row);
  }
  return { duplicates, conflicts };
}

/** Counts, for each append of a commit, which of its messages were stored before. */
export type AppendCounts = {
  /** In the order of the appends. */
  readonly counts: readonly Appended[];
  /** Begins the count of the next append, whose possible duplicates end before `row`. */
  endOfAppend(row: number): void;
  /** Counts a possible duplicate; later rows come later. */
  add(row: number, isDuplicate: boolean): void;
};

/** Counts of no append. */
export function createAppendCounts(): AppendCounts {
  const counts: { duplicates: number; conflicts: number }[] = [];
  const ends: number[] = [];
  let at = 0;
  return {
    counts,
    endOfAppend(row) {
      counts.push({ duplicates: 0, conflicts: 0 });
      ends.push(row);
    },
    add(row, isDuplicate) {
      while (row >= ends[at]!) at += 1;
      counts[at]![isDuplicate ? "duplicates" : "conflicts"] += 1;
    },
  };
}

/** The values of the fresh rows by series and timestamp, for the series that have possible duplicates. */
function indexOfSeries(
  fresh: ReadingColumns,
  possibleDuplicates: ReadingColumns,
): Map<number, Map<number, number>> {
  const index = new Map<number, Map<number, number>>();
  for (let row = 0; row < possibleDuplicates.length; row++) {
    const series = possibleDuplicates.series[row] as number;
    if (!index.has(series)) index.set(series, new Map());
  }
  for (let row = 0; row < fresh.length; row++) {
    index
      .get(fresh.series[row] as number)
      ?.set(fresh.timestampsMs[row] as number, fresh.values[row] as number);
  }
  return index;
}

/** Reserves capacity for `rows` more; at least doubles the columns if they are too small. */
function reserve(columns: ReadingColumns, rows: number): void {
  const needed = columns.length + rows;
  if (needed <= columns.series.length) return;
  const capacity = Math.max(columns.series.length * 2, needed);
  const { series, timestampsMs, values } = columns;
  columns.series = new Int32Array(capacity);
  columns.series.set(series);
  columns.timestampsMs = new Float64Array(capacity);
  columns.timestampsMs.set(timestampsMs);
  columns.values = new Float64Array(capacity);
  columns.values.set(values);
}
