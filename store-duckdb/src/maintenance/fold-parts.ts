/**
 * Maximum number of rows that one statement folds into windows with sketches, unless a few series have more: the engine
 * keeps the sketches of a statement in memory, and cannot spill them to disk.
 */
const rowsPerPart = 131_072;

/** A window of a fold: its start, its rows, and the least and the greatest code of their series. */
export type FoldedWindow = {
  readonly startMs: number;
  readonly rows: number;
  readonly firstSeries: number;
  readonly lastSeries: number;
};

/** A part of a fold: windows that start in a span, of the series with codes in [firstSeries, endSeries). */
export type FoldPart = {
  readonly sinceMs: number;
  readonly toMs: number;
  readonly firstSeries: number;
  readonly endSeries: number;
};

/**
 * Divides a fold into parts with few enough rows: several windows, or some series of one. The windows are in order.
 * Pure.
 */
export function foldParts(
  windows: readonly FoldedWindow[],
  windowMs: number,
  rowsMax = rowsPerPart,
): FoldPart[] {
  const parts: FoldPart[] = [];
  let rows = Number.POSITIVE_INFINITY;
  for (const window of windows) {
    const { startMs, firstSeries, lastSeries } = window;
    const whole = { sinceMs: startMs, toMs: startMs + windowMs, firstSeries, endSeries: lastSeries + 1 };
    const last = parts.at(-1);
    rows += window.rows;
    if (last && rows <= rowsMax) {
      parts[parts.length - 1] = {
        sinceMs: last.sinceMs,
        toMs: whole.toMs,
        firstSeries: Math.min(last.firstSeries, firstSeries),
        endSeries: Math.max(last.endSeries, whole.endSeries),
      };
      continue;
    }
    const series = Math.ceil((whole.endSeries - firstSeries) / Math.ceil(window.rows / rowsMax));
    for (let first = firstSeries; first < whole.endSeries; first += series) {
      parts.push({ ...whole, firstSeries: first, endSeries: Math.min(first + series, whole.endSeries) });
    }
    // The next window does not join some series of this one.
    rows = window.rows <= rowsMax ? window.rows : Number.POSITIVE_INFINITY;
  }
  return parts;
}
