import { RpcError, resourceExhausted, unavailable } from "@devicemesh/kit/rpc/rpc-error";
import type { WatchAggregatesResponse } from "@devicemesh/proto/es/devicemesh/v1/query_service_pb.ts";
import type { UnitOf } from "../plan/merge.ts";
import type { ReadingStore } from "../store/reading-store.ts";
import { createLoopIterations } from "./event-loop-iterations.ts";
import { type LiveWindow, readLiveWindow } from "./live-window.ts";
import { createReadBudget } from "./read-budget.ts";
import { createSharedWatch, type SharedWatch } from "./shared-watch.ts";
import type { WatchQuestion } from "./watch-question.ts";

/** Number of watchers that receive a message in one iteration of the event loop: about 1 ms of work. */
const messagesPerIteration = 8;

/** The limits of all watches; see QueryConfig. */
export type SharedWatchLimits = {
  readonly watchIntervalMs: number;
  readonly watchMessagesPerSecond: number;
  readonly watchReadsMax: number;
  readonly watchReadTimeoutMs: number;
  readonly watchRowsMax: number;
};

/** All watches of a server. */
export type SharedWatches = {
  /**
   * Returns the messages of a watcher until the signal aborts; equal queries share their reads.
   * @throws RpcError like the reads of the store; RESOURCE_EXHAUSTED if the answers of all queries have too
   * many rows, DEADLINE_EXCEEDED if a read takes too long, UNAVAILABLE if the store closes.
   */
  watch(question: WatchQuestion, signal: AbortSignal): AsyncGenerator<WatchAggregatesResponse>;
};

/** Creates the watches over a store. It follows the store's changes while a watcher exists. */
export function createSharedWatches(dependencies: {
  readonly store: ReadingStore;
  /** Ms since 1970. */
  readonly clock: () => number;
  readonly limits: SharedWatchLimits;
  readonly unitOf: UnitOf;
}): SharedWatches {
  const { store, clock, limits, unitOf } = dependencies;
  const budget = createReadBudget(limits.watchReadsMax);
  const nextIteration = createLoopIterations(messagesPerIteration);
  const questions = new Map<string, SharedWatch>();
  let watchers = 0;
  let following: AbortController | undefined;

  function lastChange({ filter }: WatchQuestion): number | undefined {
    return store.lastChangeOf?.(filter);
  }

  /** With many watchers, each receives fewer messages. */
  function restMs(): number {
    return Math.max(limits.watchIntervalMs, (watchers * 1000) / limits.watchMessagesPerSecond);
  }

  async function read(
    question: WatchQuestion,
    { isFirst, signal }: { readonly isFirst: boolean; readonly signal: AbortSignal },
  ): Promise<{ readonly window: LiveWindow; readonly busyMs: number }> {
    return budget.run({ isFirst, signal }, async () => {
      const beginMs = performance.now();
      const timeout = AbortSignal.timeout(limits.watchReadTimeoutMs);
      try {
        const window = await readLiveWindow(
          { store, nowMs: clock(), unitOf },
          question,
          AbortSignal.any([signal, timeout]),
        );
        checkRowsHeld(question, window.buckets.length + window.ahead.length);
        return { window, busyMs: performance.now() - beginMs };
      } catch (error) {
        throw timeout.aborted && !signal.aborted ? tooSlow(limits.watchReadTimeoutMs) : error;
      }
    });
  }

  function checkRowsHeld(question: WatchQuestion, rows: number): void {
    let held = rows;
    for (const [key, { size }] of questions) if (key !== question.key) held += size;
    if (held <= limits.watchRowsMax) return;
    throw resourceExhausted({
      subject: "rows of all watches",
      description: `with this watch there are ${held}, at most ${limits.watchRowsMax} are held: watch fewer devices, sensors or buckets, or group by sensor or all`,
    });
  }

  /** Passes on the changes of the store until the last watcher has left. */
  async function follow(signal: AbortSignal): Promise<void> {
    let problem: unknown = unavailable({ message: "the store has closed", retryDelayMs: 1000 });
    try {
      for await (const _ of store.watchChanges(signal)) {
        for (const question of questions.values()) question.notify();
      }
    } catch (error) {
      problem = error;
    }
    if (signal.aborted) return;
    following = undefined;
    const failed = [...questions.values()];
    questions.clear();
    for (const question of failed) question.fail(problem);
  }

  function open(question: WatchQuestion): SharedWatch {
    let shared = questions.get(question.key);
    if (!shared || shared.isOver) {
      shared = createSharedWatch(question, { clock, read, lastChange, restMs, nextIteration });
      questions.set(question.key, shared);
    }
    if (!following) {
      following = new AbortController();
      follow(following.signal);
    }
    return shared;
  }

  function close(question: WatchQuestion, shared: SharedWatch): void {
    if (shared.isOver && questions.get(question.key) === shared) questions.delete(question.key);
    if (questions.size > 0) return;
    following?.abort();
    following = undefined;
  }

  return {
    async *watch(question, signal) {
      const shared = open(question);
      watchers++;
      try {
        yield* shared.watch(signal);
      } finally {
        watchers--;
        close(question, shared);
      }
    },
  };
}

function tooSlow(timeoutMs: number): RpcError {
  return new RpcError({
    code: "DEADLINE_EXCEEDED",
    message: `the watched buckets were not read within ${timeoutMs} ms: watch fewer devices, sensors or buckets`,
  });
}
