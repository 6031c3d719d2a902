import { setTimeout as delay } from "node:timers/promises";
import { createChangeSignal } from "@devicemesh/kit/async/change-signal";
import type { WatchAggregatesResponse } from "@devicemesh/proto/es/devicemesh/v1/query_service_pb.ts";
import { type LiveWindow, liveWindowEnd } from "./live-window.ts";
import type { WatchQuestion } from "./watch-question.ts";
import { createWatchedState } from "./watched-state.ts";

/** Maximum age of an answer that a new watcher receives at once, in ms. */
const snapshotAgeMaxMs = 1000;

/** The dependencies of one query. */
export type SharedWatchDependencies = {
  /** Ms since 1970. */
  readonly clock: () => number;
  /** Reads the answer; `busyMs` is how long that kept the store busy. */
  readonly read: (
    question: WatchQuestion,
    options: { readonly isFirst: boolean; readonly signal: AbortSignal },
  ) => Promise<{ readonly window: LiveWindow; readonly busyMs: number }>;
  /**
   * Returns a number that changes once a reading of the query is stored, undefined if that is unknown: see
   * ReadingStore.
   */
  readonly lastChange?: (question: WatchQuestion) => number | undefined;
  /** Minimum interval between reads of a query, and between messages of a watch, in ms. */
  readonly restMs: () => number;
  /** Resolves when a watcher may receive its next message. */
  readonly nextIteration: () => Promise<void>;
};

/** The watches of one query, which share their reads. */
export type SharedWatch = {
  /** Number of rows in memory. */
  readonly size: number;
  /** True once it has failed or its last watcher has left: it accepts no watcher any more. */
  readonly isOver: boolean;
  /** Signals that readings may have been stored. */
  notify(): void;
  /** Ends all watches with an error. */
  fail(error: unknown): void;
  /**
   * Returns the messages of a watcher, until the signal aborts. The first is sent at once if the latest answer is
   * recent.
   * @throws the error of the read, or the argument of `fail`.
   */
  watch(signal: AbortSignal): AsyncGenerator<WatchAggregatesResponse>;
};

/** A watcher: the version that it received last, 0 for none; and whether it waits for a newer one. */
type Watcher = { known: number; isWaiting: boolean };

/**
 * Creates the shared watch of a query. It reads while watchers wait and something may have changed, with a pause after
 * each read; it reads nothing for slow watchers. It stops once the last watcher has left.
 */
export function createSharedWatch(
  question: WatchQuestion,
  { clock, read, lastChange, restMs, nextIteration }: SharedWatchDependencies,
): SharedWatch {
  const state = createWatchedState(question.bucketMs);
  const watchers = new Set<Watcher>();
  const wakes = createChangeSignal();
  const answers = createChangeSignal();
  const ending = new AbortController();
  let changes = 0;
  /** The last change that the latest answer, or the read in progress, includes. */
  let changeRead: number | undefined;
  let failure: { readonly error: unknown } | undefined;
  let latest: { readonly window: LiveWindow; changes: number; readonly readAtMs: number } | undefined;
  let isReading = false;

  function isYoung(): boolean {
    return (
      latest !== undefined && performance.now() - latest.readAtMs <= Math.max(snapshotAgeMaxMs, restMs())
    );
  }

  function isReadWanted(): boolean {
    const waiting = [...watchers].filter(({ isWaiting }) => isWaiting);
    if (waiting.length === 0) return false;
    if (latest === undefined || (latest.changes !== changes && isConcerned(latest))) return true;
    // Readings that were ahead become current without any change of the store.
    const isMoved = latest.window.endMs !== liveWindowEnd(question, clock());
    return waiting.some(({ known }) => known === 0) || (isMoved && latest.window.ahead.length > 0);
  }

  /** Whether the changes since an answer may affect the query. */
  function isConcerned(answer: { changes: number }): boolean {
    const change = lastChange?.(question);
    if (change === undefined || change !== changeRead) return true;
    // Called once for each change of the store.
    answer.changes = changes;
    return false;
  }

  /**
   * Resolves at the next wake-up, and if readings are ahead, after a short time in any case. Returns false at the end.
   */
  async function untilWoken(woken: AsyncIterator<void>): Promise<boolean> {
    const hasAhead = (latest?.window.ahead.length ?? 0) > 0;
    const timer = hasAhead ? setTimeout(wakes.notify, restMs()) : undefined;
    try {
      return (await woken.next()).done !== true;
    } finally {
      clearTimeout(timer);
    }
  }

  async function readOn(): Promise<void> {
    const { signal } = ending;
    const woken = wakes.watch(signal)[Symbol.asyncIterator]();
    for (;;) {
      while (!isReadWanted()) if (!(await untilWoken(woken))) return;
      // Counted before the read, so that a change during the read is not missed.
      const changesBefore = changes;
      changeRead = lastChange?.(question);
      const dueMs = performance.now() + restMs();
      const { window, busyMs } = await read(question, { isFirst: latest === undefined, signal });
      latest = { window, changes: changesBefore, readAtMs: performance.now() };
      // A new watcher needs no rows that are gone.
      const known = [...watchers].map((watcher) => watcher.known || Number.POSITIVE_INFINITY);
      state.update(
        window,
        known.reduce((least, one) => Math.min(least, one), Number.POSITIVE_INFINITY),
      );
      answers.notify();
      // A slow query leaves the store at least half of the time to others.
      await delay(Math.max(dueMs - performance.now(), busyMs), undefined, { signal });
    }
  }

  function fail(error: unknown): void {
    if (ending.signal.aborted) return;
    failure = { error };
    ending.abort();
    answers.close();
  }

  return {
    get size() {
      return state.size;
    },
    get isOver() {
      return ending.signal.aborted;
    },
    notify() {
      changes++;
      wakes.notify();
    },
    fail,
    async *watch(signal) {
      const watcher: Watcher = { known: 0, isWaiting: false };
      watchers.add(watcher);
      if (!isReading) readOn().catch(fail);
      isReading = true;
      const answered = answers.watch(signal)[Symbol.asyncIterator]();
      const wait = () => {
        watcher.isWaiting = true;
        wakes.notify();
      };
      try {
        while (!signal.aborted) {
          if (failure) throw failure.error;
          if (state.version > watcher.known && (watcher.known > 0 || isYoung())) {
            watcher.isWaiting = false;
            await nextIteration();
            const messages = state.messagesSince(watcher.known);
            watcher.known = state.version;
            yield* messages;
            // The next answer may be read meanwhile.
            wait();
            await delay(restMs(), undefined, { signal });
          } else {
            wait();
            await answered.next();
          }
        }
      } finally {
        watchers.delete(watcher);
        if (watchers.size === 0) ending.abort();
      }
    },
  };
}
