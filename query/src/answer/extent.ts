import type { Aggregate } from "../plan/merge.ts";
import type { Span } from "../plan/spans.ts";
import type { ReadingStore, SeriesFilter } from "../store/reading-store.ts";
import type { AnswerCoverage } from "./coverage.ts";
import { readTimeframe } from "./read-timeframe.ts";

/** Where the readings of a timeframe lie; empty if there are none. */
export type Extent = Span & {
  readonly count: number;
  /** How many partials it was made of: no more than this are there in each bucket. */
  readonly partials: number;
  readonly coverage: AnswerCoverage;
};

/** The span of no readings. */
export const nowhere: Span = { sinceMs: 0, toMs: 0 };

/** Finds where the readings of a timeframe lie. Throws what the store throws. */
export async function findExtent(
  store: ReadingStore,
  request: { readonly filter: SeriesFilter; readonly timeframe: Span },
  signal: AbortSignal,
): Promise<Extent> {
  const { partials, coverage } = await readTimeframe(store, { ...request, mergeDevices: true }, signal);
  return { ...extentOf(partials, nowhere), ...countOf(partials), coverage };
}

/** A span made longer by where the readings of some partials lie. */
export function extentOf(
  partials: readonly { readonly firstAtMs: number; readonly lastAtMs: number }[],
  start: Span,
): Span {
  return partials.reduce(
    (span, { firstAtMs, lastAtMs }) => lengthened(span, { sinceMs: firstAtMs, toMs: lastAtMs + 1 }),
    start,
  );
}

/** The same of aggregates. */
export function extentOfAggregates(aggregates: readonly Aggregate[], start: Span): Span {
  return extentOf(
    aggregates.map(({ partial }) => partial),
    start,
  );
}

/** Whether a span holds no moment. */
export function isEmpty({ sinceMs, toMs }: Span): boolean {
  return sinceMs >= toMs;
}

function countOf(partials: readonly { readonly count: number }[]) {
  return { count: partials.reduce((sum, { count }) => sum + count, 0), partials: partials.length };
}

function lengthened(a: Span, b: Span): Span {
  if (isEmpty(a)) return b;
  return { sinceMs: Math.min(a.sinceMs, b.sinceMs), toMs: Math.max(a.toMs, b.toMs) };
}
