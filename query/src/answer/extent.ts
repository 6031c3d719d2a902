import type { Aggregate } from "../plan/merge.ts";
import type { Span } from "../plan/spans.ts";
import type { ReadingStore, SeriesFilter } from "../store/reading-store.ts";
import type { AnswerCoverage } from "./aggregate-rows.ts";
import { readTimeframe } from "./read-timeframe.ts";

/** The extent of the readings of a timeframe; empty if there are none. */
export type Extent = Span & {
  readonly count: number;
  /** Number of partials that it was made from, which is an upper bound for each bucket. */
  readonly partials: number;
  readonly coverage: AnswerCoverage;
};

/** The extent without readings. */
export const nowhere: Span = { sinceMs: 0, toMs: 0 };

/** Returns the extent of the readings of a timeframe. Throws the errors of the store. */
export async function findExtent(
  store: ReadingStore,
  request: { readonly filter: SeriesFilter; readonly timeframe: Span },
  signal: AbortSignal,
): Promise<Extent> {
  const { partials, coverage } = await readTimeframe(store, { ...request, mergeDevices: true }, signal);
  return { ...extentOf(partials, nowhere), ...countOf(partials), coverage };
}

/** Extends an extent by the readings of some partials. */
export function extentOf(
  partials: readonly { readonly firstAtMs: number; readonly lastAtMs: number }[],
  start: Span,
): Span {
  return partials.reduce(
    (span, { firstAtMs, lastAtMs }) => lengthened(span, { sinceMs: firstAtMs, toMs: lastAtMs + 1 }),
    start,
  );
}

/** The same for aggregates. */
export function extentOfAggregates(aggregates: readonly Aggregate[], start: Span): Span {
  return extentOf(
    aggregates.map(({ partial }) => partial),
    start,
  );
}

/** Whether a span is empty. */
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
