import { describe, expect, it } from "vitest";
import { createMemoryAggregatorStore } from "../../testing/memory-aggregator-store.ts";
import type { DuplicateWindow } from "../repairs/repair-choice.ts";
import { createProgress } from "../status/progress.ts";
import { createRepairStep, stepLevels } from "./maintenance-step.ts";

const settings = {
  levels: [
    { windowMs: 10, segmentMs: 10 },
    { windowMs: 60, segmentMs: 60 },
    { windowMs: 240, segmentMs: 240 },
  ],
  partitions: 1,
};
const { signal } = new AbortController();

function setUp(frontierMs: number) {
  const store = createMemoryAggregatorStore(settings);
  const progress = createProgress(settings, { ...store.published, frontiersMs: [frontierMs, 0, 0] }, 0);
  let nowMs = 0;
  const clock = () => nowMs;
  return {
    store,
    progress,
    repair: createRepairStep({ progress, store, clock }),
    setClock: (ms: number) => {
      nowMs = ms;
    },
  };
}

function repeated(windowMs: number, options: Partial<DuplicateWindow> = {}): DuplicateWindow {
  return {
    deviceId: "a",
    sensor: "temperature",
    windowMs,
    firstDuplicateMs: 100,
    lastDuplicateMs: 100,
    repairedThroughMs: undefined,
    ...options,
  };
}

describe("stepLevels", () => {
  it("folds each closed segment that has partials, level by level, and publishes after each", async () => {
    const { store, progress } = setUp(550);
    for (const ms of [10, 50, 130]) store.segments[0]?.add(ms);
    await stepLevels({ progress, store }, signal);
    expect(store.story).toEqual([
      "publish pure since 600",
      "fold level 1 0 60",
      "publish level 1 60",
      "fold level 1 120 180",
      "publish level 1 180",
      "publish level 1 540",
      "fold level 2 0 240",
      "publish level 2 240",
      "publish level 2 480",
    ]);
    expect(progress.frontiersMs).toEqual([550, 540, 480]);
  });

  it("does nothing while no segment has closed", async () => {
    const { store, progress } = setUp(59);
    store.segments[0]?.add(10);
    await stepLevels({ progress, store }, signal);
    expect(store.story).toEqual(["publish pure since 60"]);
  });

  it("folds the second level of a new mesh without duplicates from its first segment on", async () => {
    const { store, progress } = setUp(0);
    await stepLevels({ progress, store }, signal);
    progress.frontiersMs = [240, 0, 0];
    for (const ms of [10, 130]) store.segments[0]?.add(ms);
    await stepLevels({ progress, store }, signal);
    expect(store.story.filter((what) => !what.startsWith("publish level"))).toEqual([
      "publish pure since 0",
      "fold level 1 0 60 pure",
      "fold level 1 120 180 pure",
      "fold level 2 0 240",
    ]);
  });

  it("first publishes that coarse levels are pure from a later time if raw readings of a segment may be deleted", async () => {
    const { store, progress } = setUp(0);
    await stepLevels({ progress, store }, signal);
    progress.frontiersMs = [120, 0, 0];
    store.segments[0]?.add(10);
    store.deleted.add(0);
    await stepLevels({ progress, store }, signal);
    expect(store.story.slice(0, 5)).toEqual([
      "publish pure since 0",
      "fold level 1 0 60 pure",
      "publish pure since 60",
      "fold level 1 0 60",
      "publish level 1 60",
    ]);
    expect(progress.coarsePureSinceMs).toBe(60);
  });

  it("folds a bounded number of segments, and continues from there", async () => {
    const { store, progress } = setUp(60 * 40);
    for (let ms = 0; ms < 60 * 40; ms += 60) store.segments[0]?.add(ms);
    await stepLevels({ progress, store }, signal);
    expect(progress.frontiersMs[1]).toBe(60 * 16);
    await stepLevels({ progress, store }, signal);
    await stepLevels({ progress, store }, signal);
    expect(progress.frontiersMs[1]).toBe(60 * 40);
  });
});

describe("createRepairStep", () => {
  it("repairs the windows that need it at the frontier, each once", async () => {
    const { store, repair } = setUp(1000);
    store.repeated.push(repeated(0), repeated(10), repeated(20, { lastDuplicateMs: 1000 }));
    await repair(signal);
    await repair(signal);
    expect(store.repairs).toEqual([
      { span: { deviceId: "a", sensor: "temperature", sinceMs: 0, toMs: 20 }, throughMs: 1000 },
    ]);
  });

  it("repairs a window again for a new duplicate, once the frontier has passed it", async () => {
    const { store, progress, repair } = setUp(1000);
    store.repeated.push(repeated(0));
    await repair(signal);
    store.repeated[0] = repeated(0, { lastDuplicateMs: 1000, repairedThroughMs: 1000 });
    await repair(signal);
    expect(store.repairs).toHaveLength(1);
    progress.frontiersMs = [1010, 0, 0];
    await repair(signal);
    expect(store.repairs.map(({ throughMs }) => throughMs)).toEqual([1000, 1010]);
  });

  it("does not repair windows whose raw readings may have expired", async () => {
    const { store, repair } = setUp(1000);
    store.rawKeptSinceMs = 5;
    store.repeated.push(repeated(0), repeated(10));
    await repair(signal);
    expect(store.repairs.map(({ span }) => span.sinceMs)).toEqual([10]);
  });

  it("retries a failed repair", async () => {
    const { store, repair } = setUp(1000);
    store.repeated.push(repeated(0));
    store.failure = new Error("unavailable");
    await expect(repair(signal)).rejects.toThrow("unavailable");
    store.failure = undefined;
    await repair(signal);
    expect(store.repairs).toHaveLength(1);
  });

  it("checks old duplicates again periodically", async () => {
    const { store, progress, repair, setClock } = setUp(1000);
    await repair(signal);
    store.repeated.push(repeated(0));
    progress.frontiersMs = [1010, 0, 0];
    await repair(signal);
    expect(store.repairs).toHaveLength(0);
    setClock(3_600_001);
    await repair(signal);
    expect(store.repairs).toHaveLength(1);
  });
});
