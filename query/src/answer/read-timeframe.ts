import type { BucketGrid } from "../calendar/bucket-grid.ts";
import { isCoarsePure, planRead, repeatsNeeded } from "../plan/planner.ts";
import type { Span } from "../plan/spans.ts";
import type {
  PartialsRead,
  ReadingStore,
  RepeatsFound,
  SeriesFilter,
  SeriesPartial,
  StoreHorizon,
} from "../store/reading-store.ts";
import type { AnswerCoverage } from "./coverage.ts";

/** How often repairs may be made again under a read before it does without them. */
const staleReadsMax = 3;

/** Everything of a timeframe, as partials, with what it covers. */
export type TimeframeRead = {
  readonly partials: readonly SeriesPartial[];
  /** There are at least so many partials, more than `partialsMax`; none is given. */
  readonly tooMany?: number | undefined;
  readonly coverage: AnswerCoverage;
};

/** What is asked for. */
export type TimeframeRequest = {
  readonly filter: SeriesFilter;
  readonly timeframe: Span;
  readonly buckets?: BucketGrid | undefined;
  /** Partials of all devices of a sensor may come merged; see ReadingStore.readPartials. */
  readonly mergeDevices?: boolean | undefined;
  /** More partials than this need not be read. */
  readonly partialsMax?: number | undefined;
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
    const { partials, tooMany, completeThroughMs, horizon, notCovered } = read;
    let count = 0;
    let fromRaw = 0;
    for (const partial of partials) {
      count += partial.count;
      fromRaw += partial.fromRaw;
    }
    return {
      partials,
      tooMany,
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
  {
    filter,
    timeframe,
    buckets,
    mergeDevices,
    partialsMax,
    usesRepairs,
  }: TimeframeRequest & { readonly usesRepairs: boolean },
  signal: AbortSignal,
): Promise<PartialsRead & { readonly horizon: StoreHorizon; readonly notCovered: readonly Span[] }> {
  const { sinceMs, toMs } = timeframe;
  const horizon = await store.readHorizon(signal);
  const { levels } = store;
  // Read after the horizon: then no repeat before its frontier is missing.
  const known = await readRepeats(store, { sinceMs, toMs, levels, horizon, buckets, filter }, signal);
  const windows = usesRepairs
    ? known.windows
    : known.windows.map((window) => ({ ...window, repairThroughMs: undefined }));
  const { plan, notCovered } = planRead({
    sinceMs,
    toMs,
    levels,
    horizon,
    buckets,
    repeats: { ...known, windows },
  });
  const read = await store.readPartials(
    {
      plan,
      filter,
      ...(buckets !== undefined && { buckets }),
      ...(mergeDevices && { mergeDevices }),
      ...(partialsMax !== undefined && { partialsMax }),
    },
    signal,
  );
  return { ...read, horizon, notCovered };
}

/** The windows with repeats that the plan of a timeframe needs to know. Throws what the store throws. */
export async function readRepeats(
  store: ReadingStore,
  request: Parameters<typeof repeatsNeeded>[0] & { readonly filter: SeriesFilter },
  signal: AbortSignal,
): Promise<RepeatsFound> {
  const { filter, horizon, sinceMs, toMs } = request;
  const needed = repeatsNeeded(request);
  const found = joined(
    await Promise.all(needed.map((part) => store.readRepeats({ ...part, filter }, signal))),
  );
  const isRelevantOnly = needed.some(({ relevant }) => relevant !== undefined);
  if (!isRelevantOnly || isCoarsePure(horizon, found)) return found;
  // The coarse levels are not pure for all of them: then no repeat is without meaning for the plan.
  return store.readRepeats({ filter, sinceMs, toMs }, signal);
}

function joined(parts: readonly RepeatsFound[]): RepeatsFound {
  const everySeries = parts.flatMap((part) => part.everySeries ?? []);
  return {
    windows: parts.flatMap(({ windows }) => windows),
    ...(everySeries.length > 0 && {
      everySeries: {
        sinceMs: Math.min(...everySeries.map((span) => span.sinceMs)),
        toMs: Math.max(...everySeries.map((span) => span.toMs)),
        firstRepeatMs: Math.min(...everySeries.map(({ firstRepeatMs }) => firstRepeatMs)),
      },
    }),
  };
}
