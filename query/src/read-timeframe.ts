import type { AnswerCoverage } from "./coverage.ts";
import { planRead, type Span } from "./planner.ts";
import type { ReadingStore, SeriesFilter, SeriesPartial } from "./reading-store.ts";

/** Everything of a timeframe, as partials, with what it covers. */
export type TimeframeRead = {
  readonly partials: readonly SeriesPartial[];
  readonly coverage: AnswerCoverage;
};

/** Plans and reads a timeframe; the partials are not merged. Throws what the store throws. */
export async function readTimeframe(
  store: ReadingStore,
  request: {
    readonly filter: SeriesFilter;
    readonly timeframe: Span;
    readonly bucketMs?: number | undefined;
  },
  signal: AbortSignal,
): Promise<TimeframeRead> {
  const { filter, timeframe, bucketMs } = request;
  const horizon = await store.readHorizon(signal);
  const { plan, notCovered } = planRead({
    sinceMs: timeframe.sinceMs,
    toMs: timeframe.toMs,
    levels: store.levels,
    horizon,
    bucketMs,
  });
  const { partials, completeThroughMs } = await store.readPartials(
    { plan, filter, ...(bucketMs !== undefined && { bucketMs }) },
    signal,
  );
  let count = 0;
  let fromRaw = 0;
  for (const partial of partials) {
    count += partial.count;
    fromRaw += partial.fromRaw;
  }
  return {
    partials,
    coverage: {
      completeThroughMs,
      frontierMs: horizon.frontiersMs[0] ?? 0,
      fromWindows: count - fromRaw,
      fromRaw,
      notCovered,
    },
  };
}
