import { type ChangeSignal, createChangeSignal } from "@devicemesh/kit/async/change-signal";
import { createRateMeter } from "@devicemesh/kit/observability/rate-meter";
import { earliestAcceptedMs, type KeptSince, type Retention } from "@devicemesh/proto";
import type { StoreHorizon, StoreStatus } from "@devicemesh/query";
import type { CommitReport } from "./duckdb-message-log.ts";

/** The store's clock for `arrived`: whole milliseconds since 1970 that never go back. */
export type ArrivalClock = {
  /** Returns the current time, never before an earlier result. */
  nowMs(): number;
  /** From here on, no result is before `ms`. */
  raise(ms: number): void;
};

/**
 * Creates a clock that follows `clock` but never goes back, and never before `startMs`. While `clock` is behind,
 * because it was stepped back or was ahead at an earlier start, time advances with `elapsedMs`, which no step affects:
 * a clock that stopped would close no segment until the other has caught up.
 */
export function createArrivalClock(
  clock: () => number,
  startMs: number,
  elapsedMs: () => number = () => performance.now(),
): ArrivalClock {
  let anchor = { atMs: startMs, elapsedMs: elapsedMs() };
  let latest = startMs;
  return {
    nowMs() {
      const nowMs = clock();
      const passedMs = anchor.atMs + elapsedMs() - anchor.elapsedMs;
      if (nowMs >= passedMs) anchor = { atMs: nowMs, elapsedMs: elapsedMs() };
      latest = Math.max(latest, Math.floor(Math.max(nowMs, passedMs)));
      return latest;
    },
    raise(ms) {
      if (ms > latest) anchor = { atMs: ms, elapsedMs: elapsedMs() };
      latest = Math.max(latest, ms);
    },
  };
}

/** How far the store is: commits, folding and retention report it, queries read it. */
export type StoreProgress = {
  horizon(): StoreHorizon;
  /** Nothing that is stored arrived later than this, ms since 1970; -Infinity if nothing is stored. */
  lastArrivedMs(): number;
  /**
   * Returns the timestamp (ms) before which readings must be rejected, because the readings that identify their
   * duplicates may be deleted.
   */
  earliestAcceptedMs(): number;
  /** The end of the log, what the commits have found, and their rate. */
  counts(): Pick<StoreStatus, "logEndMs" | "duplicates" | "conflicts" | "storedPerSecond">;
  /** Notifies of every commit. */
  readonly changes: ChangeSignal;
  /** A commit with this append time begins; none runs any more if it is undefined. */
  setCommitting(arrivedMs: number | undefined): void;
  /** A commit has succeeded. */
  committed(report: CommitReport): void;
  setFrontiers(frontiersMs: readonly number[]): void;
  setKeptSince(keptSince: KeptSince): void;
};

/**
 * Makes the progress from what is stored. Everything that arrived before the commit in progress, or before the present
 * if there is none, is committed.
 */
export function createStoreProgress(
  clock: Pick<ArrivalClock, "nowMs">,
  stored: {
    readonly frontiersMs: readonly number[];
    readonly keptSince: KeptSince;
    readonly logEndMs: number | undefined;
    readonly duplicates: number;
    readonly conflicts: number;
  },
  retention: Retention,
): StoreProgress {
  let { frontiersMs, keptSince, logEndMs, duplicates, conflicts } = stored;
  let lastArrivedMs = logEndMs ?? Number.NEGATIVE_INFINITY;
  let committingMs: number | undefined;
  const rate = createRateMeter();
  const changes = createChangeSignal();
  return {
    horizon: () => ({
      completeThroughMs: committingMs ?? clock.nowMs(),
      frontiersMs,
      levelsKeptSinceMs: keptSince.levelsMs,
      rawKeptSinceMs: keptSince.rawMs,
    }),
    lastArrivedMs: () => lastArrivedMs,
    earliestAcceptedMs:
      retention.rawMs === undefined
        ? () => keptSince.rawMs
        : () => earliestAcceptedMs(retention, keptSince, clock.nowMs()),
    counts: () => ({ logEndMs, duplicates, conflicts, storedPerSecond: rate.perSecond(clock.nowMs()) }),
    changes,
    setCommitting(arrivedMs) {
      committingMs = arrivedMs;
      lastArrivedMs = arrivedMs ?? lastArrivedMs;
    },
    committed(report) {
      logEndMs = report.arrivedMs;
      duplicates += report.duplicates;
      conflicts += report.conflicts;
      rate.add(report.stored, report.arrivedMs);
      changes.notify();
    },
    setFrontiers(frontiers) {
      frontiersMs = frontiers;
    },
    setKeptSince(kept) {
      keptSince = kept;
    },
  };
}

/**
 * Spaces commits. Each costs most of a millisecond whatever its size, and one of more than 122,880 rows (a row group of
 * the engine) is written once instead of four times. Under load a few large commits are therefore far cheaper than many
 * small ones; a commit after an idle time is not delayed.
 */
export type CommitInterval = {
  /** Resolves when the next commit may begin. */
  untilDue(): Promise<void>;
  /** Lets the awaited commit begin now. */
  hurry(): void;
  /** Reports the number of readings of the commit that has begun: the more, the longer the next one waits. */
  began(readings: number): void;
};

/** Minimum time from the start of one commit to the start of the next. */
const intervalMinMs = 10;

/** Maximum time, which is also the delay of an acknowledgement under full load. */
const intervalMaxMs = 120;

/**
 * Up to this number of readings a millisecond the shortest interval is kept; above it, commits grow up to the longest.
 */
const calmReadingsPerMs = 100;

/** Creates the spacing. `monotonicMs` is a monotonic clock in milliseconds. */
export function createCommitInterval({
  monotonicMs,
}: {
  readonly monotonicMs: () => number;
}): CommitInterval {
  let dueMs = Number.NEGATIVE_INFINITY;
  let begin: (() => void) | undefined;
  return {
    async untilDue() {
      const waitMs = dueMs - monotonicMs();
      if (waitMs <= 0) return;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, waitMs);
        begin = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      begin = undefined;
    },
    hurry: () => begin?.(),
    began(readings) {
      const intervalMs = Math.min(Math.max(readings / calmReadingsPerMs, intervalMinMs), intervalMaxMs);
      dueMs = monotonicMs() + intervalMs;
    },
  };
}
