import { setTimeout as delay } from "node:timers/promises";
import { closeOnce } from "@devicemesh/kit/lifetime/close-once";
import { unavailable } from "@devicemesh/kit/rpc/rpc-error";
import type { SeriesMade } from "./admission.ts";
import { type EmbeddedStore, type EmbeddedStoreOptions, openEmbeddedStore } from "./duckdb-store.ts";

/** Interval of attempts to open the store again, in ms. */
const reopenEveryMs = 1000;

/** Reports the recovery of the store, once per change. */
export type RecoveryEvent =
  | { readonly kind: "invalidated"; readonly error: unknown }
  | { readonly kind: "waiting"; readonly error: unknown }
  | { readonly kind: "reopened" };

/**
 * Opens the store, and opens it again whenever the engine has invalidated its database, which happens when it cannot
 * write a checkpoint. Nothing acknowledged is lost: it is in the file or in the write-ahead log. Meanwhile every call
 * fails with UNAVAILABLE and a retry delay, and watches end.
 * @throws like openEmbeddedStore, the first time.
 */
export async function openRecoveringStore(
  options: EmbeddedStoreOptions & { readonly onRecovery?: (event: RecoveryEvent) => void },
): Promise<EmbeddedStore> {
  const { onRecovery = () => {} } = options;
  const ending = new AbortController();
  const seriesMade: SeriesMade = new Map();
  let current: EmbeddedStore | undefined = await open();
  let earliestAcceptedMs = current.earliestAcceptedMs();
  const { levels } = current.readings;
  let reopening: Promise<void> | undefined;

  function open(): Promise<EmbeddedStore> {
    return openEmbeddedStore({
      ...options,
      seriesMade,
      onInvalidated(error) {
        if (ending.signal.aborted) return;
        reopening ??= reopen(error).finally(() => {
          reopening = undefined;
        });
      },
    });
  }

  async function reopen(error: unknown): Promise<void> {
    onRecovery({ kind: "invalidated", error });
    const broken = current;
    current = undefined;
    // Its pending appends are rejected; an error here is the one that is already known.
    await broken?.close().catch(() => {});
    for (let reported = false; !ending.signal.aborted; reported = true) {
      try {
        current = await open();
        onRecovery({ kind: "reopened" });
        return;
      } catch (problem) {
        if (!reported) onRecovery({ kind: "waiting", error: problem });
        await delay(reopenEveryMs, undefined, { signal: ending.signal }).catch(() => {});
      }
    }
  }

  function store(): EmbeddedStore {
    if (current) return current;
    throw unavailable({
      message: close.isClosing ? "the store is closing" : "the store's database is being opened again",
      retryDelayMs: 1000,
    });
  }

  const close = closeOnce(async () => {
    ending.abort();
    await reopening;
    await current?.close();
  });

  return {
    // Without a store nothing is appended: the sender receives that error.
    admitSeries: (...series) => current?.admitSeries(...series),
    log: { append: async (batch) => store().log.append(batch) },
    readings: {
      levels,
      isRemote: false,
      readHorizon: async (signal) => store().readings.readHorizon(signal),
      readDuplicateWindows: async (request, signal) => store().readings.readDuplicateWindows(request, signal),
      readPartials: async (request, signal) => store().readings.readPartials(request, signal),
      readReadings: async (request, signal) => store().readings.readReadings(request, signal),
      sealHorizon: async (signal) => store().readings.sealHorizon(signal),
      scanReadings: (scan, signal) => store().readings.scanReadings(scan, signal),
      readSeries: async (request, signal) => store().readings.readSeries(request, signal),
      readDuplicates: async (request, signal) => store().readings.readDuplicates(request, signal),
      readStatus: async (signal) => store().readings.readStatus(signal),
      readLatestSeries: async (request, signal) => store().readings.readLatestSeries(request, signal),
      watchChanges: (signal) => store().readings.watchChanges(signal),
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
