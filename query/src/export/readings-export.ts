import type { AnswerCoverage } from "../answer/aggregate-rows.ts";
import type { Span } from "../plan/planner.ts";
import type { ReadingColumns } from "../store/reading-scan.ts";
import type { ReadingStore, SeriesFilter } from "../store/reading-store.ts";

/** An export: its coverage is fixed when it begins. */
export type Export<Piece> = {
  readonly pieces: AsyncIterable<Piece>;
  /** The coverage of the pieces read so far. */
  coverage(): AnswerCoverage;
};

/** Begins an export of the raw readings of a timeframe; see `ExportReadings` in the contract. */
export async function exportReadings(
  store: ReadingStore,
  { filter, timeframe }: { readonly filter: SeriesFilter; readonly timeframe: Span },
  signal: AbortSignal,
): Promise<Export<ReadingColumns>> {
  const { completeThroughMs, frontiersMs, rawKeptSinceMs } = await store.sealHorizon(signal);
  const { toMs } = timeframe;
  const sinceMs = Math.min(Math.max(timeframe.sinceMs, rawKeptSinceMs), toMs);
  let rows = 0;
  async function* pieces(): AsyncGenerator<ReadingColumns> {
    const scan = { filter, sinceMs, toMs, arrivedToMs: completeThroughMs };
    for await (const piece of store.scanReadings(scan, signal)) {
      rows += piece.values.length;
      yield piece;
    }
  }
  return {
    pieces: pieces(),
    coverage: () => ({
      completeThroughMs,
      frontierMs: frontiersMs[0] ?? 0,
      fromWindows: 0,
      fromRaw: rows,
      notCovered: sinceMs > timeframe.sinceMs ? [{ sinceMs: timeframe.sinceMs, toMs: sinceMs }] : [],
    }),
  };
}
