import { describe, expect, it } from "vitest";
import { createMemoryReadingStore } from "../../testing/memory-store/memory-reading-store.ts";
import { allTime } from "../plan/planner.ts";
import type { ReadingStore } from "../store/reading-store.ts";
import { readTimeframe } from "./read-timeframe.ts";

const startMs = Date.UTC(2026, 10, 23, 20, 4, 20);
const everything = { filter: { deviceIds: [], sensors: [] }, timeframe: allTime };
const never = new AbortController().signal;

/** A remote store with folded readings, with or without a duplicate. */
function remoteStore({ hasDuplicate }: { readonly hasDuplicate: boolean }): ReadingStore {
  let nowMs = startMs;
  const memory = createMemoryReadingStore({ clock: () => nowMs, isCountingDuplicates: true, isRemote: true });
  const reading = { deviceId: "a", sensor: "temperature" as const, timestampMs: startMs, value: 20 };
  memory.append([reading, { ...reading, timestampMs: startMs + 1 }, ...(hasDuplicate ? [reading] : [])]);
  nowMs += 10_000;
  memory.fold();
  return memory.store;
}

/** The store, which answers the first read of duplicates once partials were requested, and records the requests. */
function recorded(store: ReadingStore) {
  const requests: string[] = [];
  const signals: AbortSignal[] = [];
  const partialsRequested = Promise.withResolvers<void>();
  const recording: ReadingStore = {
    ...store,
    async readDuplicateWindows(request, signal) {
      requests.push("duplicates");
      await partialsRequested.promise;
      return store.readDuplicateWindows(request, signal);
    },
    readPartials(request, signal) {
      requests.push("partials");
      signals.push(signal);
      partialsRequested.resolve();
      return store.readPartials(request, signal);
    },
  };
  return { store: recording, requests, signals };
}

describe("an answer of a remote store", () => {
  it("takes one round trip if there are no duplicates", async () => {
    const { store, requests, signals } = recorded(remoteStore({ hasDuplicate: false }));
    const { coverage } = await readTimeframe(store, everything, never);
    expect(coverage).toMatchObject({ fromWindows: 2, fromRaw: 0 });
    expect(requests.toSorted()).toEqual(["duplicates", "partials"]);
    expect(signals.map((signal) => signal.aborted)).toEqual([false]);
  });

  it("is read again if there are, and the first read is cancelled", async () => {
    const { store, requests, signals } = recorded(remoteStore({ hasDuplicate: true }));
    const { coverage } = await readTimeframe(store, everything, never);
    expect(coverage).toMatchObject({ fromWindows: 0, fromRaw: 2 });
    expect(requests.toSorted()).toEqual(["duplicates", "partials", "partials"]);
    expect(signals.map((signal) => signal.aborted)).toEqual([true, false]);
  });

  it("does not start another early read soon after an early read whose result was discarded", async () => {
    const { store, requests } = recorded(remoteStore({ hasDuplicate: true }));
    await readTimeframe(store, everything, never);
    requests.length = 0;
    await readTimeframe(store, everything, never);
    expect(requests).toEqual(["duplicates", "partials"]);
  });

  it("fails like the read of the duplicates, and cancels that of the partials", async () => {
    const { store, signals } = recorded(remoteStore({ hasDuplicate: false }));
    const failing: ReadingStore = {
      ...store,
      async readDuplicateWindows(request, signal) {
        await store.readDuplicateWindows(request, signal);
        throw new Error("the duplicates cannot be read");
      },
    };
    await expect(readTimeframe(failing, everything, never)).rejects.toThrow("the duplicates cannot be read");
    expect(signals.map((signal) => signal.aborted)).toEqual([true]);
  });

  it("cancels both reads when its caller cancels", async () => {
    const { store, signals } = recorded(remoteStore({ hasDuplicate: false }));
    const caller = new AbortController();
    const answer = readTimeframe(
      {
        ...store,
        async readPartials(request, signal) {
          await store.readPartials(request, signal);
          caller.abort(new Error("the caller is gone"));
          signal.throwIfAborted();
          throw new Error("it continues");
        },
      },
      everything,
      caller.signal,
    );
    await expect(answer).rejects.toThrow("the caller is gone");
    expect(signals.map((signal) => signal.aborted)).toEqual([true]);
  });
});
