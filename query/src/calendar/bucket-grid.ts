import type { Span } from "../plan/spans.ts";

/** Consecutive buckets of one size: from sinceMs (inclusive) to toMs (exclusive), ms since 1970. */
export type BucketRun = Span & { readonly sizeMs: number };

/** The boundaries of buckets: runs in order of time, each of which begins where the previous one ends; at least one. */
export type BucketGrid = readonly BucketRun[];

const weekMs = 7 * 86_400_000;

/** Monday, 1970-01-05: the origin of weeks. */
export const mondayMs = 4 * 86_400_000;

/**
 * Returns the grid of a fixed size over all time. Buckets start at the origin plus or minus whole sizes: by default at
 * 1970, and those of whole weeks on Mondays. Pure.
 */
export function fixedGrid(sizeMs: number, originMs = sizeMs % weekMs === 0 ? mondayMs : 0): BucketGrid {
  const phaseMs = ((originMs % sizeMs) + sizeMs) % sizeMs;
  // Before 1970, so that aligned times are never negative.
  return [{ sinceMs: phaseMs === 0 ? 0 : phaseMs - sizeMs, toMs: Number.POSITIVE_INFINITY, sizeMs }];
}

/** Returns the start of the bucket that contains a time inside the grid. Pure. */
export function bucketStart(grid: BucketGrid, ms: number): number {
  const { sinceMs, sizeMs } = runAt(grid, ms);
  return ms - ((ms - sinceMs) % sizeMs);
}

/** Returns the end of the bucket that starts at this time. Pure. */
export function bucketEnd(grid: BucketGrid, startMs: number): number {
  return startMs + runAt(grid, startMs).sizeMs;
}

/** Returns the number of buckets that touch a span inside the grid; 0 if it is empty. Pure. */
export function countBuckets(grid: BucketGrid, { sinceMs, toMs }: Span): number {
  if (sinceMs >= toMs) return 0;
  let count = 0;
  for (const run of grid) {
    const firstMs = Math.max(run.sinceMs, sinceMs);
    const lastMs = Math.min(run.toMs, toMs) - 1;
    if (firstMs > lastMs) continue;
    const place = (ms: number): number => Math.floor((ms - run.sinceMs) / run.sizeMs);
    count += place(lastMs) - place(firstMs) + 1;
  }
  return count;
}

/** Returns the starts of the buckets that touch a span inside the grid, in order. Pure. */
export function* bucketStarts(grid: BucketGrid, { sinceMs, toMs }: Span): Generator<number> {
  if (sinceMs >= toMs) return;
  for (let ms = bucketStart(grid, sinceMs); ms < toMs; ms = bucketEnd(grid, ms)) yield ms;
}

/**
 * Returns the starts of every `count`-th bucket that touches a span inside the grid, without that of the first. Pure.
 */
export function* everyStart(grid: BucketGrid, { sinceMs, toMs }: Span, count: number): Generator<number> {
  let place = 0;
  for (const run of grid) {
    if (run.toMs <= sinceMs || run.sinceMs >= toMs) continue;
    const first = Math.max(Math.floor((sinceMs - run.sinceMs) / run.sizeMs), 0);
    const last = Math.floor((Math.min(run.toMs, toMs) - 1 - run.sinceMs) / run.sizeMs);
    const skipped = place === 0 ? count : (count - (place % count)) % count;
    for (let at = first + skipped; at <= last; at += count) yield run.sinceMs + at * run.sizeMs;
    place += last - first + 1;
  }
}

/**
 * Builds an expression for the start of a time's bucket, in another language: `aligned` for the times of a run, and
 * `choice` for times before one (`earlier`) or not (`later`). It is a balanced tree, so that no engine compares a time
 * with all runs. Pure.
 */
export function bucketExpression<Expression>(
  grid: BucketGrid,
  language: {
    readonly aligned: (run: BucketRun) => Expression;
    readonly choice: (beforeMs: number, earlier: Expression, later: Expression) => Expression;
  },
): Expression {
  const [only] = grid as [BucketRun];
  if (grid.length === 1) return language.aligned(only);
  const middle = grid.length >> 1;
  return language.choice(
    (grid[middle] as BucketRun).sinceMs,
    bucketExpression(grid.slice(0, middle), language),
    bucketExpression(grid.slice(middle), language),
  );
}

/** Whether the buckets cover all time. Pure. */
export function isEndless(buckets: BucketGrid): boolean {
  return buckets.at(-1)?.toMs === Number.POSITIVE_INFINITY;
}

/**
 * Returns the timeframe, if the buckets cover all of it; otherwise its part in the buckets that touch the span. Pure.
 */
export function withinBuckets(buckets: BucketGrid, timeframe: Span, span: Span): Span {
  if (isEndless(buckets)) return timeframe;
  if (span.sinceMs >= span.toMs) return { sinceMs: timeframe.sinceMs, toMs: timeframe.sinceMs };
  return {
    sinceMs: Math.max(timeframe.sinceMs, bucketStart(buckets, span.sinceMs)),
    toMs: Math.min(timeframe.toMs, bucketEnd(buckets, bucketStart(buckets, span.toMs - 1))),
  };
}

/** Returns the run of a time; the nearest one for a time outside the grid. */
function runAt(grid: BucketGrid, ms: number): BucketRun {
  let [low, high] = [0, grid.length - 1];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((grid[middle] as BucketRun).sinceMs <= ms) low = middle;
    else high = middle - 1;
  }
  return grid[low] as BucketRun;
}
