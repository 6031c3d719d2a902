import type { AnswerCoverage } from "./coverage.ts";
import { planRead, type Span } from "./planner.ts";
import type {
  PartialsRead,
  ReadingStore,
  SeriesFilter,
  SeriesPartial,
  StoreHorizon,
} from "./reading-store.ts";

/** How often repairs may be made anew under a read before it does without them. */
const staleReadsMax = 3;

/** Everything of a timeframe, as partials, with what it covers. */
export type TimeframeRead = {
  readonly partials: readonly SeriesPartial[];
  readonly coverage: AnswerCoverage;
};

/** What is asked for. */
export type TimeframeRequest = {
  readonly filter: SeriesFilter;
  readonly timeframe: Span;
  readonly bucketMs?: number | undefined;
};

/** Plans and reads a timeframe; the partials are not merged. Throws what the store throws. */
export async function readTimeframe(
  store: ReadingStore,
  request: TimeframeRequest,
  signal: AbortSignal,
): Promise<TimeframeRead> {
  for (let reads = 1; ; reads++) {
    const read = await readPlanned(store, { ...request, usesRepairs: reads <= staleReadsMax }, signal);
    if (read.isStale) continue;
    const { partials, completeThroughMs, horizon, notCovered } = read;
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
}

async function readPlanned(
  store: ReadingStore,
  { filter, timeframe, bucketMs, usesRepairs }: TimeframeRequest & { readonly usesRepairs: boolean },
  signal: AbortSignal,
): Promise<PartialsRead & { readonly horizon: StoreHorizon; readonly notCovered: readonly Span[] }> {
  const { sinceMs, toMs } = timeframe;
  const horizon = await store.readHorizon(signal);
  // Read after the horizon: then no repeat before its frontier is missing.
  const known = await store.readRepeats({ filter, sinceMs, toMs }, signal);
  const repeats = usesRepairs ? known : known.map((window) => ({ ...window, repairThroughMs: undefined }));
  const { plan, notCovered } = planRead({ sinceMs, toMs, levels: store.levels, horizon, bucketMs, repeats });
  const read = await store.readPartials(
    { plan, filter, ...(bucketMs !== undefined && { bucketMs }) },
    signal,
  );
  return { ...read, horizon, notCovered };
}
