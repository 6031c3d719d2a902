import { setTimeout as delay } from "node:timers/promises";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { resourceExhausted, unavailable } from "@devicemesh/kit/rpc-error";
import { alignDown, type Level } from "@devicemesh/proto";
import type {
  WatchAggregatesRequest,
  WatchAggregatesResponseSchema,
} from "@devicemesh/proto/es/devicemesh/v1/query_service_pb.ts";
import { bucketMessage, groupingOf } from "./aggregate-rows.ts";
import { requestedBucketSize } from "./bucket-size.ts";
import { coverageMessage } from "./coverage.ts";
import { allTime, type Span } from "./planner.ts";
import { readBuckets } from "./read-buckets.ts";
import { readTimeframe } from "./read-timeframe.ts";
import type { ReadingStore, SeriesFilter } from "./reading-store.ts";
import { createSentBuckets } from "./sent-buckets.ts";

/** How many of the last buckets are watched where the request does not say. */
const defaultLastBuckets = 30;

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
): AsyncGenerator<MessageInitShape<typeof WatchAggregatesResponseSchema>> {
  const { store, watchIntervalMs, stopping } = dependencies;
  // Ours: who stops listening without a word must not leave the store's watch waiting.
  const ended = new AbortController();
  const signal = AbortSignal.any([callSignal, stopping, ended.signal]);
  const { windowMs } = store.levels[0] as Level;
  const bucketMs = request.bucket ? requestedBucketSize(request.bucket, windowMs) : windowMs;
  const bucket = { seconds: BigInt(Math.floor(bucketMs / 1000)), nanos: (bucketMs % 1000) * 1_000_000 };
  const sent = createSentBuckets();
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
    for (let snapshot = true; ; snapshot = false) {
      const { aggregates, coverage } = await readLastBuckets(dependencies, { request, bucketMs }, signal);
      const changed = sent.takeChanged(aggregates);
      if (snapshot || changed.length > 0) {
        const buckets = changed.map((aggregate) => bucketMessage(aggregate, bucketMs));
        yield { snapshot, bucket, buckets, coverage: coverageMessage(coverage) };
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

/** Reads the last buckets: the newest holds the present moment, or the newest reading if that is ahead. */
async function readLastBuckets(
  { store, clock }: WatchDependencies,
  { request, bucketMs }: { readonly request: WatchAggregatesRequest; readonly bucketMs: number },
  signal: AbortSignal,
) {
  const filter = { deviceIds: request.deviceIds, sensors: request.sensors };
  const newestMs = await findNewest({ store, filter, nowMs: clock() }, signal);
  const buckets = request.lastBuckets || defaultLastBuckets;
  const toMs = alignDown(newestMs, bucketMs) + bucketMs;
  const timeframe: Span = { sinceMs: Math.max(toMs - buckets * bucketMs, allTime.sinceMs), toMs };
  return readBuckets(
    store,
    { filter, grouping: groupingOf(request.groupBy), timeframe, extent: timeframe, bucketMs },
    signal,
  );
}

async function findNewest(
  {
    store,
    filter,
    nowMs,
  }: { readonly store: ReadingStore; readonly filter: SeriesFilter; readonly nowMs: number },
  signal: AbortSignal,
): Promise<number> {
  const ahead = await readTimeframe(
    store,
    { filter, timeframe: { sinceMs: nowMs, toMs: allTime.toMs } },
    signal,
  );
  return ahead.partials.reduce((newestMs, { lastAtMs }) => Math.max(newestMs, lastAtMs), nowMs);
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
