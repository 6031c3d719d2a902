import { setTimeout as delay, setImmediate as nextIteration } from "node:timers/promises";
import { withinTime } from "@devicemesh/kit/async/time-limit";
import { closeOnce } from "@devicemesh/kit/lifetime/close-once";
import { type RpcError, unavailable } from "@devicemesh/kit/rpc/rpc-error";
import type { SeriesMade } from "./admission.ts";
import { createMemoryGate } from "./database/memory-gate.ts";
import {
  defaultMemoryMib,
  type EmbeddedStore,
  type EmbeddedStoreOptions,
  openEmbeddedStore,
} from "./duckdb-store.ts";

/** Interval of attempts to open the store again, in ms. */
const reopenEveryMs = 1000;

/** A call waits this long for the first attempt, in ms; usually that takes a fraction of a second. */
const reopenWaitMs = 10_000;

/** Number of calls that may wait for it; more are rejected at once. */
const waitingMax = 1000;

/** A query that fails inside the engine may do so each time: it is a reason to open the store again once in this time, in ms. */
const reopenForReadEveryMs = 60_000;

/** Reports the recovery of the store, once per change. */
export type RecoveryEvent =
  | { readonly kind: "invalidated"; readonly error: unknown }
  | { readonly kind: "waiting"; readonly error: unknown }
  | { readonly kind: "reopened" };

/**
 * Opens the store, and opens it again whenever the engine has invalidated its database, which happens when it cannot
 * write a checkpoint, or after a failure that may leave its state in memory wrong. Nothing acknowledged is lost: it is
 * in the file or in the write-ahead log. Calls wait for the first attempt; if it fails or takes long, they fail with a
 * retry delay: with RESOURCE_EXHAUSTED if memory was the cause, otherwise with UNAVAILABLE. Calls that run, and watches,
 * end with this error at once.
 * @throws like openEmbeddedStore, the first time.
 */
export async function openRecoveringStore(
  options: EmbeddedStoreOptions & { readonly onRecovery?: (event: RecoveryEvent) => void },
): Promise<EmbeddedStore> {
  const { onRecovery = () => {} } = options;
  const ending = new AbortController();
  const seriesMade: SeriesMade = new Map();
  const memory = createMemoryGate({ limitBytes: (options.memoryMib ?? defaultMemoryMib) * 1024 ** 2 });
  let current: EmbeddedStore | undefined;
  let reopening: Promise<void> = Promise.resolve();
  /** The first attempt to open the store again. */
  let attempt: Promise<void> | undefined;
  let waiting = 0;
  let rejection: RpcError | undefined;
  let reopenedForReadMs = Number.NEGATIVE_INFINITY;
  const first = await open();
  current = first;
  let earliestAcceptedMs = first.earliestAcceptedMs();
  const { levels } = first.readings;

  function open(): Promise<EmbeddedStore> {
    return openEmbeddedStore({
      ...options,
      seriesMade,
      memory,
      mayReopenForRead() {
        const nowMs = performance.now();
        if (nowMs - reopenedForReadMs < reopenForReadEveryMs) return false;
        reopenedForReadMs = nowMs;
        return true;
      },
      onInvalidated(error, forCallers) {
        // While it is being opened, opening it fails.
        if (!current || ending.signal.aborted) return;
        rejection = forCallers;
        const ended = Promise.withResolvers<void>();
        attempt = ended.promise;
        reopening = reopen(current, error, ended.resolve);
      },
    });
  }

  async function reopen(broken: EmbeddedStore, error: unknown, endAttempt: () => void): Promise<void> {
    current = undefined;
    onRecovery({ kind: "invalidated", error });
    // Its pending appends are rejected; an error here is the one that is already known.
    await broken.close().catch(() => {});
    for (let reported = false; !ending.signal.aborted; reported = true) {
      try {
        current = await open();
        endAttempt();
        onRecovery({ kind: "reopened" });
        return;
      } catch (problem) {
        endAttempt();
        attempt = undefined;
        if (!reported) onRecovery({ kind: "waiting", error: problem });
        await delay(reopenEveryMs, undefined, { signal: ending.signal }).catch(() => {});
      }
    }
    endAttempt();
  }

  /**
   * Returns the open store, also if it is opened again in time. Otherwise it fails, in a later iteration of the event loop:
   * callers in this process that try again at once would otherwise keep the event loop busy, and the store could not be
   * opened.
   */
  async function opened(): Promise<EmbeddedStore> {
    if (current) return current;
    if (attempt && waiting < waitingMax) {
      waiting++;
      await withinTime(attempt, { ms: reopenWaitMs, what: "opening the store again" }).catch(() => {});
      waiting--;
    } else {
      await nextIteration();
    }
    if (current) return current;
    if (close.isClosing) throw unavailable({ message: "the store is closing", retryDelayMs: 1000 });
    throw rejection ?? unavailable({ message: "the store is not open", retryDelayMs: 1000 });
  }

  async function* watchOnceOpen(signal: AbortSignal): AsyncGenerator<void> {
    yield* (await opened()).readings.watchChanges(signal);
  }

  const close = closeOnce(async () => {
    ending.abort();
    await reopening;
    await current?.close();
  });

  return {
    // Without a store nothing is appended: the sender receives that error.
    admitSeries: (...series) => current?.admitSeries(...series),
    log: { append: async (batch) => (await opened()).log.append(batch) },
    readings: {
      levels,
      isRemote: false,
      readHorizon: async (signal) => (await opened()).readings.readHorizon(signal),
      readDuplicateWindows: async (request, signal) =>
        (await opened()).readings.readDuplicateWindows(request, signal),
      readPartials: async (request, signal) => (await opened()).readings.readPartials(request, signal),
      readSketches: async (request, signal) => (await opened()).readings.readSketches(request, signal),
      readReadings: async (request, signal) => (await opened()).readings.readReadings(request, signal),
      sealHorizon: async (signal) => (await opened()).readings.sealHorizon(signal),
      async *scanReadings(scan, signal) {
        yield* (await opened()).readings.scanReadings(scan, signal);
      },
      readSeries: async (request, signal) => (await opened()).readings.readSeries(request, signal),
      readDuplicates: async (request, signal) => (await opened()).readings.readDuplicates(request, signal),
      readStatus: async (signal) => (await opened()).readings.readStatus(signal),
      readLatestSeries: async (request, signal) =>
        (await opened()).readings.readLatestSeries(request, signal),
      // Changes count from this call on.
      watchChanges: (signal) => (current ? current.readings.watchChanges(signal) : watchOnceOpen(signal)),
      lastChangeOf: (filter) => current?.readings.lastChangeOf(filter),
    },
    // Without a store nothing is appended: the sender receives that error.
    admitOlder: (...reading) => current?.admitOlder(...reading),
    maintain: async () => current?.maintain(),
    earliestAcceptedMs() {
      earliestAcceptedMs = current?.earliestAcceptedMs() ?? earliestAcceptedMs;
      return earliestAcceptedMs;
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}
