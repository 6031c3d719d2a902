import { readDuplicateWindows } from "../answer/read-timeframe.ts";
import type { BucketGrid } from "../calendar/bucket-grid.ts";
import { planRead } from "../plan/planner.ts";
import type { Span } from "../plan/spans.ts";
import { expiredMeanwhile } from "../store/reading-scan.ts";
import type { PartialsRead, ReadingStore, ReadPlan, Scan, SeriesFilter } from "../store/reading-store.ts";
import type { StoreHorizon } from "../store/store-status.ts";
import { sealedReadsMs } from "./export-limits.ts";

/** A horizon that all reads of an export share, and the time when it was sealed, by `elapsedMs`. */
export type Sealed = { readonly horizon: StoreHorizon; readonly sealedAtMs: number };

/** The request. */
export type SealedRead = {
  readonly filter: SeriesFilter;
  readonly timeframe: Span;
  readonly buckets?: BucketGrid | undefined;
  readonly mergeDevices: boolean;
  readonly partialsMax?: number | undefined;
};

/** Seals a horizon of the store. */
export async function seal(
  store: ReadingStore,
  signal: AbortSignal,
  elapsedMs: () => number = () => performance.now(),
): Promise<Sealed> {
  return { sealedAtMs: elapsedMs(), horizon: await store.sealHorizon(signal) };
}

/**
 * Reads the partials of exactly the readings that arrived before the sealed horizon, however late the read is: the plan
 * uses that horizon, and its scans over raw readings end there.
 * @throws RpcError UNAVAILABLE if some of it may have expired since; the errors of the store.
 */
export async function readSealed(
  store: ReadingStore,
  { horizon, sealedAtMs }: Sealed,
  { filter, timeframe, buckets, mergeDevices, partialsMax }: SealedRead,
  signal: AbortSignal,
  elapsedMs: () => number = () => performance.now(),
): Promise<PartialsRead & { readonly notCovered: readonly Span[] }> {
  const { sinceMs, toMs } = timeframe;
  const { levels } = store;
  const request = { sinceMs, toMs, levels, horizon, buckets };
  for (let usesRepairs = true; ; usesRepairs = false) {
    const known = await readDuplicateWindows(store, { ...request, filter }, signal);
    // The plan uses no repair that was made after the seal.
    const windows = usesRepairs
      ? known.windows
      : known.windows.map((window) => ({ ...window, repairThroughMs: undefined }));
    const { plan, notCovered } = planRead({ ...request, duplicates: { ...known, windows } });
    const read = await store.readPartials(
      {
        plan: endedAt(plan, horizon.completeThroughMs),
        filter,
        mergeDevices,
        ...(buckets && { buckets }),
        ...(partialsMax !== undefined && { partialsMax }),
      },
      signal,
    );
    if (read.isStale) continue;
    const isOld = elapsedMs() - sealedAtMs > sealedReadsMs;
    if (mayHaveExpired(plan, { sealed: horizon, now: await store.readHorizon(signal), isOld })) {
      throw expiredMeanwhile();
    }
    return { ...read, notCovered };
  }
}

/** Returns the plan for readings that arrived before a time that is not before any of its frontiers. */
function endedAt(plan: ReadPlan, arrivedToMs: number): ReadPlan {
  const ended = <Each extends Scan>(scan: Each): Each => ({
    ...scan,
    arrivedToMs: Math.min(scan.arrivedToMs, arrivedToMs),
  });
  const { duplicates } = plan;
  return {
    ...plan,
    raw: plan.raw.map(ended),
    ...(duplicates && { duplicates: { ...duplicates, raw: duplicates.raw.map(ended) } }),
  };
}

/**
 * Whether anything that the plan reads may have been deleted. Data before a mark is deleted once it is folded and every
 * answer planned before has had its time.
 */
function mayHaveExpired(
  plan: ReadPlan,
  {
    sealed,
    now,
    isOld,
  }: { readonly sealed: StoreHorizon; readonly now: StoreHorizon; readonly isOld: boolean },
): boolean {
  const marks = ({ rawKeptSinceMs, levelsKeptSinceMs }: StoreHorizon) => [
    rawKeptSinceMs,
    ...levelsKeptSinceMs,
  ];
  const before = marks(sealed);
  const read = [
    [...plan.raw, ...(plan.duplicates?.raw ?? [])],
    ...plan.levels.map((scans, level) => [...scans, ...(plan.duplicates?.levels[level] ?? [])]),
  ];
  return marks(now).some(
    (mark, place) =>
      (isOld || mark > (before[place] as number)) && read[place]?.some(({ sinceMs }) => sinceMs < mark),
  );
}
