import { describe, expect, it } from "vitest";
import { createMemoryAggregatorStore } from "../../testing/memory-aggregator-store.ts";
import { batchOf } from "../../testing/memory-window-job.ts";
import { createBatchChecks } from "../late-appends/batch-checks.ts";
import { createTickMemory } from "../log/ticks.ts";
import { createProgress } from "../status/progress.ts";
import type { LogPlaces } from "./frontier.ts";
import { stepFrontier } from "./frontier-step.ts";

const settings = {
  levels: [{ windowMs: 10_000, segmentMs: 10_000 }],
  partitions: 1,
};
const places = (windows: number, letters: number): LogPlaces => ({
  windows: new Map([["windows/0", windows]]),
  deadLetters: new Map([["letters/0", letters]]),
});

function setUp() {
  const store = createMemoryAggregatorStore(settings);
  const ticks = createTickMemory({ partitions: 1, clockSkewMs: 0 });
  const progress = createProgress(settings, store.published, 0);
  const checks = createBatchChecks({ checked: new Map(), sinceMs: 0 });
  progress.checks = checks;
  let batch = 0;
  /** Spark has done a batch that took the messages before this offset. */
  function see(watermarkMs: number, endOffset = 11): void {
    checks.add(batchOf({ batch: batch++, watermarkMs, endOffsets: new Map([[0, endOffset]]) }), watermarkMs);
  }
  const log = { ends: places(5, 2), committed: places(5, 2), messages: new Map([[0, 0]]) };
  const offsets = {
    committedMessages: async () => log.messages,
    async ends() {
      store.story.push("ends");
      return log.ends;
    },
    committed: async () => log.committed,
  };
  const step = () =>
    stepFrontier({ progress, ticks, offsets, store, clock: () => 77 }, new AbortController().signal);
  /** The sink of messages has passed a tick of this time. */
  function passTick(appendedMs: number): void {
    ticks.add([{ partition: 0, offset: 10, appendedMs }]);
    log.messages = new Map([[0, 11]]);
  }
  return { store, see, progress, log, step, passTick };
}

describe("stepFrontier", () => {
  it("publishes complete_through, and does not move the frontier, without a watermark", async () => {
    const { store, step, passTick } = setUp();
    await step();
    passTick(34_567);
    await step();
    expect(store.published).toMatchObject({ completeThroughMs: 34_567, frontiersMs: [0] });
  });

  it("reads the ends after the watermark, registers the series, then publishes", async () => {
    const { store, see, progress, step, passTick } = setUp();
    passTick(34_567);
    see(31_000);
    store.segments[0]?.add(10_000);
    await step();
    expect(store.story).toEqual(["publish", "ends", "register 10000 30000", "publish level 0 30000"]);
    expect(progress).toMatchObject({ frontiersMs: [30_000], movedAtMs: 77 });
  });

  it("waits for the readers of partials and of dead letters", async () => {
    const { store, see, log, step, passTick } = setUp();
    passTick(34_567);
    see(31_000);
    log.committed = places(4, 2);
    await step();
    log.committed = places(5, 1);
    // Later appends do not count, or the target would never be reached.
    log.ends = places(50, 20);
    await step();
    expect(store.published.frontiersMs).toEqual([0]);
    log.committed = places(5, 2);
    await step();
    expect(store.published.frontiersMs).toEqual([30_000]);
  });

  it("waits until the sink has stored all messages that Spark had read, whatever their append times", async () => {
    const { store, see, log, step, passTick } = setUp();
    passTick(34_567);
    see(31_000, 20);
    await step();
    expect(store.published.frontiersMs).toEqual([0]);
    log.messages = new Map([[0, 20]]);
    await step();
    expect(store.published.frontiersMs).toEqual([30_000]);
  });

  it("resumes after a failure, and does not move before the store has published the frontier", async () => {
    const { store, see, progress, step, passTick } = setUp();
    passTick(34_567);
    see(31_000);
    store.failure = new Error("unavailable");
    await expect(step()).rejects.toThrow("unavailable");
    expect(progress.frontiersMs).toEqual([0]);
    store.failure = undefined;
    await step();
    expect(store.published.frontiersMs).toEqual([30_000]);
  });

  it("moves in bounded steps after an outage, and over time without data in one", async () => {
    const { store, see, step, passTick } = setUp();
    passTick(100_000_000);
    see(90_000_000);
    for (const ms of [10_000, 600_000, 80_000_000]) store.segments[0]?.add(ms);
    await step();
    expect(store.story.filter((line) => line !== "publish" && line !== "ends")).toEqual([
      "register 10000 610000",
      "publish level 0 610000",
      "register 80000000 80600000",
      "publish level 0 80600000",
      "publish level 0 90000000",
    ]);
  });
});
