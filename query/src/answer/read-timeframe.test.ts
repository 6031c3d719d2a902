import { describe, expect, it } from "vitest";
import { createMemoryReadingStore } from "../../testing/memory-store/memory-reading-store.ts";
import { allTime } from "../plan/planner.ts";
import type { ReadingStore } from "../store/reading-store.ts";
import { readTimeframe } from "./read-timeframe.ts";

const startMs = Date.UTC(2026, 10, 23, 20, 4, 20);
const everything = { filter: { deviceIds: [], sensors: [] }, timeframe: allTime };

/** A store with one window that had a duplicate and was repaired, and with folds in progress. */
function repairedStore() {
  let nowMs = startMs;
  const memory = createMemoryReadingStore({ clock: () => nowMs, isCountingDuplicates: true });
  const reading = { deviceId: "a", sensor: "temperature" as const, timestampMs: startMs, value: 20 };
  memory.append([reading, { ...reading, timestampMs: startMs + 1 }, reading]);
  function foldAndRepair(): void {
    nowMs += 10_000;
    memory.fold();
    memory.repair();
  }
  foldAndRepair();
  return { memory, foldAndRepair };
}

/** The store, with an event between reading the duplicates and the partials in each of the first reads. */
function disturbed(store: ReadingStore, { reads, act }: { readonly reads: number; act(): void }) {
  let count = 0;
  return {
    store: {
      ...store,
      async readPartials(request, signal) {
        if (count++ < reads) act();
        return store.readPartials(request, signal);
      },
    } satisfies ReadingStore,
    reads: () => count,
  };
}

describe("readTimeframe", () => {
  it("answers from repairs", async () => {
    const { memory } = repairedStore();
    const { coverage } = await readTimeframe(memory.store, everything, new AbortController().signal);
    expect(coverage).toMatchObject({ fromWindows: 2, fromRaw: 0 });
  });

  it("plans again if a repair was replaced during the read", async () => {
    const { memory, foldAndRepair } = repairedStore();
    const { store, reads } = disturbed(memory.store, { reads: 1, act: foldAndRepair });
    const { coverage } = await readTimeframe(store, everything, new AbortController().signal);
    expect([coverage.fromWindows, coverage.fromRaw, reads()]).toEqual([2, 0, 2]);
  });

  it("answers from raw readings if repairs are replaced all the time", async () => {
    const { memory, foldAndRepair } = repairedStore();
    const { store } = disturbed(memory.store, { reads: Number.POSITIVE_INFINITY, act: foldAndRepair });
    const { coverage } = await readTimeframe(store, everything, new AbortController().signal);
    expect(coverage).toMatchObject({ fromWindows: 0, fromRaw: 2 });
  });
});
