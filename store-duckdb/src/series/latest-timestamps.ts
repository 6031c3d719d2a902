/**
 * The latest timestamp (ms) of each series, -Infinity if there is none: of the stored readings, which queries see, and
 * of all readings that were ever to be stored, which separates new readings from those that must be looked up.
 */
export type LatestTimestamps = {
  /** The latest of the stored readings. */
  stored(code: number): number;
  /** The latest of the readings that are stored, pending, or were rejected: nothing later is stored. */
  known(code: number): number;
  /** Raises the known one; returns false if the timestamp is not later. */
  advance(code: number, timestampMs: number): boolean;
  /** Records stored readings. */
  store(rows: StoredRows): void;
  /** Number of times that readings were stored. */
  readonly changes: number;
  /** The number of the change that stored the last reading of the series; 0 for none. */
  lastChange(code: number): number;
};

/** Readings by column; the first `length` rows count. */
export type StoredRows = {
  readonly length: number;
  /** The codes of their series. */
  readonly series: ArrayLike<number>;
  readonly timestampsMs: ArrayLike<number>;
};

/** Creates the timestamps of no series; grows with the codes, 24 bytes each. */
export function createLatestTimestamps(): LatestTimestamps {
  let stored = new Float64Array(1024).fill(Number.NEGATIVE_INFINITY);
  // A failed commit does not lower it: if its rows are stored all the same, they are looked up when they are sent
  // again, and stored once.
  let known = stored.slice();
  let changedAt = new Float64Array(1024);
  let changes = 0;

  function reserve(code: number): void {
    if (code < known.length) return;
    const capacity = Math.max(known.length * 2, code + 1);
    stored = grown(stored, capacity, Number.NEGATIVE_INFINITY);
    known = grown(known, capacity, Number.NEGATIVE_INFINITY);
    changedAt = grown(changedAt, capacity, 0);
  }
  function advance(code: number, timestampMs: number): boolean {
    reserve(code);
    if (timestampMs <= (known[code] as number)) return false;
    known[code] = timestampMs;
    return true;
  }

  return {
    stored: (code) => stored[code] ?? Number.NEGATIVE_INFINITY,
    known: (code) => known[code] ?? Number.NEGATIVE_INFINITY,
    advance,
    store({ length, series, timestampsMs }) {
      changes++;
      for (let row = 0; row < length; row++) {
        const code = series[row] as number;
        const timestampMs = timestampsMs[row] as number;
        advance(code, timestampMs);
        if (timestampMs > (stored[code] as number)) stored[code] = timestampMs;
        changedAt[code] = changes;
      }
    },
    get changes() {
      return changes;
    },
    lastChange: (code) => changedAt[code] ?? 0,
  };
}

function grown(
  column: Float64Array<ArrayBuffer>,
  capacity: number,
  initial: number,
): Float64Array<ArrayBuffer> {
  const larger = new Float64Array(capacity).fill(initial);
  larger.set(column);
  return larger;
}
