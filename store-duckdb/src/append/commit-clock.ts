import { type ChangeSignal, createChangeSignal } from "@devicemesh/kit/async/change-signal";
import { createRateMeter } from "@devicemesh/kit/observability/rate-meter";
import { earliestAcceptedMs, type KeptSince, type Retention } from "@devicemesh/proto";
import type { Scan, StoreHorizon, StoreStatus } from "@devicemesh/query";
import type { CommitReport } from "./duckdb-message-log.ts";
import type { ReadingColumns } from "./duplicate-filter.ts";

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
  /** Reports the size of the commit that has begun: the larger, the longer the next one waits. */
  began(size: { readonly readings: number; readonly appends: number }): void;
};

/** Minimum time from the start of one commit to the start of the next. */
const intervalMinMs = 10;

/** Maximum time, which is also the delay of an acknowledgement under full load. */
const intervalMaxMs = 120;

/**
 * Up to this number of readings a millisecond the shortest interval is kept; above it, commits grow up to the longest.
 */
const calmReadingsPerMs = 100;

/**
 * The same for appends, of many devices that send a reading each: fewer commits leave more of the processor to them,
 * but with each of them a device waits for its acknowledgement.
 */
const calmAppendsPerMs = 4;
const appendsIntervalMaxMs = 25;

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
    began({ readings, appends }) {
      const forReadingsMs = Math.min(readings / calmReadingsPerMs, intervalMaxMs);
      const forAppendsMs = Math.min(appends / calmAppendsPerMs, appendsIntervalMaxMs);
      const intervalMs = Math.max(forReadingsMs, forAppendsMs, intervalMinMs);
      dueMs = monotonicMs() + intervalMs;
    },
  };
}

/** Receives readings: the code of their series, their timestamp (ms) and their value. */
export type AddReading = (series: number, timestampMs: number, value: number) => void;

/** Receives the readings of each commit with its number, or its failure: then it is unknown what is stored. */
export type CommitObserver = {
  committed(readings: ReadingColumns, commit: number): void;
  failed(): void;
};

/**
 * The commits, and the readings that were committed last, in a ring of fixed size: what has arrived since the frontier,
 * unless readings arrive so fast that the ring holds less.
 */
export type RecentReadings = {
  /** The number of the commit that is running, and may be visible to statements; 0 if there is none. */
  readonly running: number;
  /** A commit begins. */
  committing(): void;
  /** It has ended. Call it before any caller learns of the commit. The columns may be reused afterwards. */
  committed(readings: ReadingColumns, arrivedMs: number): void;
  /** It has failed: it is unknown what is stored. */
  failed(arrivedMs: number): void;
  /**
   * Passes the readings of a scan to `add` and returns their number; undefined, before any, if some of them may not be
   * held any more.
   */
  read(scan: Scan, add: AddReading): number | undefined;
  /** From now on the observer receives commits; there is only one. */
  observe(observer: CommitObserver): void;
};

/** Number of readings in the ring, of 28 bytes each. */
const capacity = 65_536;

/** A commit of more readings is not copied: a few of them would fill the ring, and its readers would find nothing. */
const copiedReadingsMax = 8192;

/** Creates an empty ring of a store in which nothing arrived later than `lastArrivedMs`. */
export function createRecentReadings(lastArrivedMs: number): RecentReadings {
  const series = new Int32Array(capacity);
  const timestampsMs = new Float64Array(capacity);
  const values = new Float64Array(capacity);
  const arrivals = new Float64Array(capacity);
  /** Number of readings that were ever put into the ring since it was last empty. */
  let written = 0;
  /** Every reading that arrived later than this is in the ring. */
  let missingMs = lastArrivedMs;
  let commits = 0;
  let running = 0;
  let observer: CommitObserver | undefined;

  function clear(arrivedMs: number): void {
    written = 0;
    missingMs = Math.max(missingMs, arrivedMs);
  }

  function copy(readings: ReadingColumns, arrivedMs: number): void {
    for (let row = 0; row < readings.length; row++) {
      const at = written % capacity;
      if (written >= capacity) missingMs = arrivals[at] as number;
      series[at] = readings.series[row] as number;
      timestampsMs[at] = readings.timestampsMs[row] as number;
      values[at] = readings.values[row] as number;
      arrivals[at] = arrivedMs;
      written++;
    }
  }

  return {
    get running() {
      return running;
    },
    committing() {
      running = ++commits;
    },
    committed(readings, arrivedMs) {
      running = 0;
      if (readings.length > copiedReadingsMax) clear(arrivedMs);
      else copy(readings, arrivedMs);
      observer?.committed(readings, commits);
    },
    failed(arrivedMs) {
      running = 0;
      clear(arrivedMs);
      observer?.failed();
    },
    read({ sinceMs, toMs, arrivedSinceMs, arrivedToMs }, add) {
      if (arrivedSinceMs <= missingMs) return undefined;
      const oldest = Math.max(0, written - capacity);
      let found = 0;
      for (let number = written - 1; number >= oldest; number--) {
        const at = number % capacity;
        const arrivedMs = arrivals[at] as number;
        // The ring is in the order of arrival.
        if (arrivedMs < arrivedSinceMs) break;
        const ms = timestampsMs[at] as number;
        if (ms < sinceMs || ms >= toMs || arrivedMs >= arrivedToMs) continue;
        add(series[at] as number, ms, values[at] as number);
        found++;
      }
      return found;
    },
    observe(given) {
      observer = given;
    },
  };
}
