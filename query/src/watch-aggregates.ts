import { setTimeout as delay } from "node:timers/promises";
import { resourceExhausted, unavailable } from "@devicemesh/kit/rpc-error";
import type { Level } from "@devicemesh/proto";
import type {
  WatchAggregatesRequest,
  WatchAggregatesResponse,
} from "@devicemesh/proto/es/devicemesh/v1/query_service_pb.ts";
import type { ReadingStore } from "./reading-store.ts";
import { readLiveWindow } from "./watch/live-window.ts";
import { watchQuestionOf } from "./watch/watch-question.ts";
import { createWatchedState } from "./watch/watched-state.ts";

/** What watching needs. */
export type WatchDependencies = {
  readonly store: ReadingStore;
  /** Ms since 1970. */
  readonly clock: () => number;
  /** Messages of one watch are at least this far apart. */
  readonly watchIntervalMs: number;
  /** Aborts when the server begins to stop: watches end then, without an error. */
  readonly stopping: AbortSignal;
};

/**
 * Answers WatchAggregates: the last buckets, also if there are none yet, then those that have changed since
 * the message before. It holds the counts of the watched buckets and nothing else; nothing is read while the
 * reader is slow.
 * @throws RpcError as ListBuckets does, UNAVAILABLE if the store closes; the signal's reason if the call's deadline passes.
 */
export async function* watchAggregates(
  dependencies: WatchDependencies,
  request: WatchAggregatesRequest,
  callSignal: AbortSignal,
): AsyncGenerator<WatchAggregatesResponse> {
  const { store, clock, watchIntervalMs, stopping } = dependencies;
  // Ours: who stops listening without a word must not leave the store's watch waiting.
  const ended = new AbortController();
  const signal = AbortSignal.any([callSignal, stopping, ended.signal]);
  const question = watchQuestionOf(request, (store.levels[0] as Level).windowMs);
  const state = createWatchedState(question.bucketMs);
  let known = 0;
  const changes = store.watchChanges(signal)[Symbol.asyncIterator]();
  function nextChange(): Promise<IteratorResult<void>> {
    const next = changes.next();
    // It may fail while a read is awaited that fails too; then the read's error is told.
    next.catch(() => {});
    return next;
  }
  try {
    // Asked for before each read, so that a change during the read is not missed.
    let change = nextChange();
    for (;;) {
      state.update(await readLiveWindow({ store, nowMs: clock() }, question, signal), known);
      if (state.version > known) {
        const messages = state.messagesSince(known);
        known = state.version;
        yield* messages;
        await delay(watchIntervalMs, undefined, { signal });
      }
      if ((await change).done) break;
      change = nextChange();
    }
  } catch (error) {
    if (stopping.aborted) return;
    // Rather the call's own reason than that of the wait it broke.
    callSignal.throwIfAborted();
    throw error;
  } finally {
    ended.abort();
    await changes.return?.();
  }
  if (stopping.aborted) return;
  // A deadline is told; a client that has gone hears nothing anyway.
  callSignal.throwIfAborted();
  throw unavailable({ message: "the store has closed", retryDelayMs: 1000 });
}

/** Lets at most `max` watches run at a time. `onChange` is told how many run. */
export function createWatchRoom(
  max: number,
  onChange: (running: number) => void = () => {},
): <T>(watch: AsyncIterable<T>) => AsyncIterable<T> {
  let running = 0;
  return async function* limited(watch) {
    if (running >= max) {
      throw resourceExhausted({ subject: "watches", description: `at most ${max} run at a time` });
    }
    onChange(++running);
    try {
      yield* watch;
    } finally {
      onChange(--running);
    }
  };
}
