import { setTimeout as delay } from "node:timers/promises";
import { createChangeSignal } from "@devicemesh/kit/async/change-signal";
import type { WatchAggregatesResponse } from "@devicemesh/proto/es/devicemesh/v1/query_service_pb.ts";
import { type LiveWindow, liveWindowEnd } from "./live-window.ts";
import type { WatchQuestion } from "./watch-question.ts";
import { createWatchedState } from "./watched-state.ts";

/** How old an answer may be that a new watcher gets at once, in ms. */
const snapshotAgeMaxMs = 1000;

/** What one question needs. */
export type SharedWatchDependencies = {
  /** Ms since 1970. */
  readonly clock: () => number;
  /** Reads the answer; `busyMs` is how long that kept the store busy. */
  readonly read: (
    question: WatchQuestion,
    options: { readonly isFirst: boolean; readonly signal: AbortSignal },
  ) => Promise<{ readonly window: LiveWindow; readonly busyMs: number }>;
  /** Another number once a reading of the question is stored, undefined if that is not known: see ReadingStore. */
  readonly lastChange?: (question: WatchQuestion) => number | undefined;
  /** How far apart reads of a question, and messages of a watch, are at least, in ms. */
  readonly restMs: () => number;
  /** Resolves when a watcher may be sent its next message. */
  readonly turn: () => Promise<void>;
};

/** The watches of one question: one reads for all. */
export type SharedWatch = {
  /** How many rows are held. */
  readonly size: number;
  /** True once it has failed or its last watcher has left: it answers no watcher any more. */
  readonly isOver: boolean;
  /** Readings may have been stored. */
  notify(): void;
  /** Ends all watches with an error. */
  fail(error: unknown): void;
  /**
   * The messages of a watcher, until the signal aborts. The first comes at once if the latest answer is young.
   * @throws what the read throws, or what `fail` is given.
   */
  watch(signal: AbortSignal): AsyncGenerator<WatchAggregatesResponse>;
};

/** A watcher: the version that it was sent last, 0 for none; and whether it has asked for a newer one. */
type Watcher = { known: number; isWaiting: boolean };

/**
 * Makes the shared watch of a question. It reads while watchers wait and something may have changed, with a rest
 * after each read; nothing is read for watchers that are slow. It reads no more once the last watcher has left.
 */
export function createSharedWatch(
  question: WatchQuestion,
  { clock, read, lastChange, restMs, turn }: SharedWatchDependencies,
): SharedWatch {
  const state = createWatchedState(question.bucketMs);
  const watchers = new Set<Watcher>();
  const wakes = createChangeSignal();
  const answers = createChangeSignal();
  const ending = new AbortController();
  let changes = 0;
  /** The last change that the latest answer, or the read in progress, has in it. */
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
    // The present reaches what was ahead without any change of the store.
    const isMoved = latest.window.endMs !== liveWindowEnd(question, clock());
    return waiting.some(({ known }) => known === 0) || (isMoved && latest.window.ahead.length > 0);
  }

  /** Whether what has changed since an answer may be about the question. */
  function isConcerned(answer: { changes: number }): boolean {
    const change = lastChange?.(question);
    if (change === undefined || change !== changeRead) return true;
    // Asked once for each change of the store.
    answer.changes = changes;
    return false;
  }

  /** Resolves at the next wake, and where readings are ahead a little later in any case. False at the end. */
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
      // Who knows nothing yet needs no rows that are gone.
      const known = [...watchers].map((watcher) => watcher.known || Number.POSITIVE_INFINITY);
      state.update(
        window,
        known.reduce((least, one) => Math.min(least, one), Number.POSITIVE_INFINITY),
      );
      answers.notify();
      // A question that is slow to read leaves the store at least half of the time to others.
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
            await turn();
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
