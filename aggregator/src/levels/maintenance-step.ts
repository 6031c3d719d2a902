import { alignUp, type Level } from "@devicemesh/proto";
import { chooseRepairs } from "../repairs/repair-choice.ts";
import type { Progress } from "../status/progress.ts";
import type { AggregatorStore } from "../store/aggregator-store.ts";
import { nextFold } from "./level-fold.ts";

/** The limits of one step, so that folds and repairs alternate. */
const limits = {
  /** Number of segments of one level: a day of ten-minute segments takes about ten steps. */
  folds: 16,
  /** Number of windows with duplicates: a client that re-sends its last hour is repaired in one step for ten series. */
  windows: 4000,
  /** Number of windows in one request to the database: an hour. */
  spanWindows: 360,
  /** Number of concurrent requests: the database has other work. */
  concurrency: 4,
  /** Interval between checks of windows whose last duplicate is old: one may have been marked by hand. */
  rescanIntervalMs: 3_600_000,
} as const;

type MaintenanceDependencies = {
  readonly progress: Progress;
  readonly store: AggregatorStore;
  /** Ms since 1970. */
  readonly clock: () => number;
};

/** Folds closed segments of the coarse levels, each from the next finer level, and publishes their frontiers. */
export async function stepLevels(
  { progress, store }: Pick<MaintenanceDependencies, "progress" | "store">,
  signal: AbortSignal,
): Promise<void> {
  await startPure({ progress, store });
  for (const [level, { segmentMs }] of progress.levels.entries()) {
    if (level === 0) continue;
    for (let folds = 0; folds < limits.folds && !signal.aborted; folds++) {
      const frontierMs = progress.frontiersMs[level] as number;
      const belowFrontierMs = progress.frontiersMs[level - 1] as number;
      if (belowFrontierMs < frontierMs + segmentMs) break;
      const firstBelowMs = await store.firstSegment(level - 1, frontierMs);
      const fold = nextFold({ segmentMs, frontierMs, belowFrontierMs, firstBelowMs });
      if (fold.kind === "none") break;
      if (fold.kind === "fold") await foldOne({ progress, store }, { ...fold, level });
      await store.publishFrontier({ level: { level, frontierMs: fold.toMs } });
      progress.frontiersMs = progress.frontiersMs.with(level, fold.toMs);
    }
  }
}

/**
 * Publishes once the start of purity of the coarse levels. It cannot lie before the finest frontier, because an
 * aggregator of an older version may have folded any segment up to it.
 */
async function startPure({
  progress,
  store,
}: Pick<MaintenanceDependencies, "progress" | "store">): Promise<void> {
  const second = progress.levels[1];
  if (progress.coarsePureSinceMs !== undefined || !second) return;
  const coarsePureSinceMs = alignUp(progress.frontiersMs[0] as number, second.segmentMs);
  await store.publishFrontier({ coarsePureSinceMs });
  progress.coarsePureSinceMs = coarsePureSinceMs;
}

/**
 * Folds one segment. The second level is folded without duplicates (pure), and therefore the levels above it are pure
 * too. If raw readings of the segment may have been deleted already, its partials count duplicates: the step first
 * publishes that the levels are pure only from its end.
 */
async function foldOne(
  { progress, store }: Pick<MaintenanceDependencies, "progress" | "store">,
  { level, sinceMs, toMs }: { readonly level: number; readonly sinceMs: number; readonly toMs: number },
): Promise<void> {
  const isPure = level === 1 && sinceMs >= (progress.coarsePureSinceMs ?? Number.POSITIVE_INFINITY);
  if (await store.foldSegment({ level, sinceMs, toMs, isPure })) return;
  await store.publishFrontier({ coarsePureSinceMs: toMs });
  progress.coarsePureSinceMs = toMs;
  await store.foldSegment({ level, sinceMs, toMs, isPure: false });
}

/** Repairs windows with duplicates. It remembers the moment before which nothing is left to repair. */
export function createRepairStep({ progress, store, clock }: MaintenanceDependencies) {
  const { windowMs } = progress.levels[0] as Level;
  let doneBeforeMs = 0;
  let rescannedAtMs = clock();

  return async function stepRepairs(signal: AbortSignal): Promise<void> {
    const frontierMs = progress.frontiersMs[0] as number;
    if (clock() - rescannedAtMs > limits.rescanIntervalMs) {
      rescannedAtMs = clock();
      doneBeforeMs = 0;
    }
    if (frontierMs <= doneBeforeMs) return;
    const rawKeptSinceMs = await store.readRawKeptSince();
    const found = await store.findDuplicateWindows({
      lastDuplicateSinceMs: doneBeforeMs,
      frontierMs,
      rawKeptSinceMs,
      limit: limits.windows,
    });
    progress.dirtyWindows = found.length;
    const spans = chooseRepairs(found, {
      frontierMs,
      rawKeptSinceMs,
      windowMs,
      windowsMax: limits.windows,
      spanWindowsMax: limits.spanWindows,
    });
    // Another aggregator may have moved the frontier since: a repair at an older frontier is just as correct.
    const queue = spans.values();
    await Promise.all(
      Array.from({ length: limits.concurrency }, async () => {
        for (const span of queue) {
          if (signal.aborted) return;
          await store.repair(span, frontierMs);
          const windows = (span.toMs - span.sinceMs) / windowMs;
          progress.repairs += windows;
          progress.dirtyWindows = Math.max(progress.dirtyWindows - windows, 0);
        }
      }),
    );
    if (signal.aborted) return;
    const isAll = found.length < limits.windows;
    doneBeforeMs = isAll ? frontierMs : (found.at(-1)?.lastDuplicateMs as number);
  };
}
