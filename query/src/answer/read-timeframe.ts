import { millisecondsFloor, type ProtoTimestamp } from "@devicemesh/proto";
import type { BucketGrid } from "../calendar/bucket-grid.ts";
import {
  allTime,
  duplicateWindowsNeeded,
  isCoarsePure,
  type PlannedRead,
  planRead,
} from "../plan/planner.ts";
import type { Span } from "../plan/spans.ts";
import type {
  DuplicateWindowsFound,
  PartialsRead,
  ReadingStore,
  SeriesFilter,
  SeriesPartial,
} from "../store/reading-store.ts";
import type { StoreHorizon } from "../store/store-status.ts";
import type { AnswerCoverage } from "./aggregate-rows.ts";
import { beginGuess } from "./guessed-read.ts";

/** Number of times that repairs may be replaced during a read before it plans without them. */
const staleReadsMax = 3;

/** All partials of a timeframe, with their coverage. */
export type TimeframeRead = {
  readonly partials: readonly SeriesPartial[];
  /** There are at least this many partials, more than `partialsMax`; none is returned. */
  readonly tooMany?: number | undefined;
  readonly coverage: AnswerCoverage;
};

/** The request. */
export type TimeframeRequest = {
  readonly filter: SeriesFilter;
  readonly timeframe: Span;
  readonly buckets?: BucketGrid | undefined;
  /** Partials of all devices of a sensor may be merged; see ReadingStore.readPartials. */
  readonly mergeDevices?: boolean | undefined;
  /** Maximum number of partials to read. */
  readonly partialsMax?: number | undefined;
};

/** Plans and reads a timeframe; the partials are not merged. Throws the errors of the store. */
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
  const request = { sinceMs, toMs, levels: store.levels, horizon, buckets };
  const read = ({ plan }: PlannedRead, readSignal: AbortSignal): Promise<PartialsRead> =>
    store.readPartials(
      {
        plan,
        filter,
        ...(buckets !== undefined && { buckets }),
        ...(mergeDevices && { mergeDevices }),
        ...(partialsMax !== undefined && { partialsMax }),
      },
      readSignal,
    );
  using guess = store.isRemote && usesRepairs ? beginGuess(store, { request, read, signal }) : undefined;
  // Read after the horizon, so that no duplicate before its frontier is missing.
  const known = await readDuplicateWindows(store, { ...request, filter }, signal);
  const guessed = guess?.judge(known);
  if (guessed) return { ...(await guessed.read), horizon, notCovered: guessed.planned.notCovered };
  const windows = usesRepairs
    ? known.windows
    : known.windows.map((window) => ({ ...window, repairThroughMs: undefined }));
  const planned = planRead({ ...request, duplicates: { ...known, windows } });
  return { ...(await read(planned, signal)), horizon, notCovered: planned.notCovered };
}

/** Returns the windows with duplicates that the plan of a timeframe needs. Throws the errors of the store. */
export async function readDuplicateWindows(
  store: ReadingStore,
  request: Parameters<typeof duplicateWindowsNeeded>[0] & { readonly filter: SeriesFilter },
  signal: AbortSignal,
): Promise<DuplicateWindowsFound> {
  const { filter, horizon, sinceMs, toMs } = request;
  const needed = duplicateWindowsNeeded(request);
  const found = joined(
    await Promise.all(needed.map((part) => store.readDuplicateWindows({ ...part, filter }, signal))),
  );
  const isRelevantOnly = needed.some(({ relevant }) => relevant !== undefined);
  if (!isRelevantOnly || isCoarsePure(horizon, found)) return found;
  // The coarse levels are not pure for all of them, so the plan needs every duplicate.
  return store.readDuplicateWindows({ filter, sinceMs, toMs }, signal);
}

function joined(parts: readonly DuplicateWindowsFound[]): DuplicateWindowsFound {
  const everySeries = parts.flatMap((part) => part.everySeries ?? []);
  return {
    windows: parts.flatMap(({ windows }) => windows),
    ...(everySeries.length > 0 && {
      everySeries: {
        sinceMs: Math.min(...everySeries.map((span) => span.sinceMs)),
        toMs: Math.max(...everySeries.map((span) => span.toMs)),
        firstDuplicateMs: Math.min(...everySeries.map(({ firstDuplicateMs }) => firstDuplicateMs)),
      },
    }),
  };
}

/** The timeframe of a request: its bounds, and its timestamps, clamped to `allTime`. */
export type Timeframe = Span & { readonly hasSince: boolean; readonly hasTo: boolean };

/**
 * Returns the timeframe of a request. Bounds are truncated to milliseconds like the timestamps of readings: with
 * `since` the timestamp of a sent reading, the reading is included; with `to`, it is not. It may be empty.
 */
export function timeframeOf(request: {
  readonly since?: ProtoTimestamp | undefined;
  readonly to?: ProtoTimestamp | undefined;
}): Timeframe {
  const { since, to } = request;
  const sinceMs = within(since ? millisecondsFloor(since) : allTime.sinceMs);
  const toMs = within(to ? millisecondsFloor(to) : allTime.toMs);
  return { sinceMs, toMs: Math.max(sinceMs, toMs), hasSince: since !== undefined, hasTo: to !== undefined };
}

function within(ms: number): number {
  return Math.min(Math.max(ms, allTime.sinceMs), allTime.toMs);
}
