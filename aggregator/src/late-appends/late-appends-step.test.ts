import { describe, expect, it } from "vitest";
import { createMemoryAggregatorStore } from "../../testing/memory-aggregator-store.ts";
import { batchOf, createMemoryWindowJob } from "../../testing/memory-window-job.ts";
import { createProgress } from "../status/progress.ts";
import type { LogRecord } from "./late-appends.ts";
import { createLateAppendsStep } from "./late-appends-step.ts";

const settings = {
  levels: [
    { windowMs: 10_000, segmentMs: 10_000 },
    { windowMs: 600_000, segmentMs: 600_000 },
  ],
  partitions: 1,
};
const at = (offset: number) => new Map([[0, offset]]);
const key = (second: number) => `a|temperature|1970-01-01T00:00:${second}.000Z`;

/** A log with one message at each offset; the clock steps back from 90 s to 30 s at offset 5. */
const log: LogRecord[] = Array.from({ length: 20 }, (_, offset) => ({
  partition: 0,
  offset,
  arrivedMs: offset < 5 ? 90_000 + offset : 30_000 + offset,
  key: key(10 + offset),
}));

async function setUp(options: { readonly checked?: number } = {}) {
  const store = createMemoryAggregatorStore(settings);
  await store.rememberCheckpoint("memory", async () => ({ sinceMs: 0, startingOffsets: at(0) }));
  if (options.checked !== undefined) await store.rememberChecked("memory", at(options.checked));
  await store.publishFrontier({ level: { level: 0, frontierMs: 80_000 }, coarsePureSinceMs: 0 });
  const progress = createProgress(settings, store.published, 0);
  const sink = { committed: at(20) };
  const read: string[] = [];
  const late = createLateAppendsStep({
    progress,
    job: createMemoryWindowJob(),
    store,
    clock: () => 0,
    offsets: {
      committedMessages: async () => sink.committed,
      async messageOffsetsAt(ms) {
        const first = log.findIndex(({ arrivedMs }) => arrivedMs >= ms);
        return at(first < 0 ? log.length : first);
      },
    },
    reader: {
      async read(ranges, each) {
        for (const { from, to } of ranges) {
          read.push(`${from.get(0)} to ${to.get(0)}`);
          await each(log.slice(from.get(0), to.get(0)));
        }
      },
    },
  });
  store.story.length = 0;
  const step = () => late.step(new AbortController().signal);
  const add = (batch: number, from: number, to: number, rowsDropped = 0) =>
    late.add(
      batchOf({ batch, startOffsets: at(from), endOffsets: at(to), watermarkMs: 90_000, rowsDropped }),
      90_000,
    );
  return { store, progress, sink, read, step, add };
}

describe("the step for late appends", () => {
  it("marks the windows of messages that Spark dropped, at the frontier, excludes them from coarse levels, and continues", async () => {
    const { store, progress, read, step, add } = await setUp();
    add(0, 0, 5);
    add(1, 5, 7, 1);
    await step();
    expect(read).toEqual(["5 to 7"]);
    expect(store.story).toEqual(["publish pure since 1", "mark a|temperature|10000 at 80000", "checked"]);
    expect(progress.checks?.checked).toEqual(at(7));
    expect(progress).toMatchObject({ lateWindows: 1, coarsePureSinceMs: 1 });
  });

  it("marks a window only once the sink has stored its messages, because a repair would lack them", async () => {
    const { store, progress, sink, step, add } = await setUp();
    add(0, 0, 5);
    add(1, 5, 7, 1);
    sink.committed = at(6);
    await step();
    expect(store.story).toEqual([]);
    expect(progress.checks?.checked).toEqual(at(5));
    sink.committed = at(7);
    await step();
    expect(progress.checks?.checked).toEqual(at(7));
  });

  it("reads the messages of batches that were not observed since the last check", async () => {
    const { store, read, step, add } = await setUp({ checked: 3 });
    add(9, 8, 9);
    await step();
    expect(read).toEqual(["3 to 8"]);
    expect(store.story).toContain("mark a|temperature|10000 at 80000");
  });

  it("reads nothing if all batches since the last check were observed", async () => {
    const { progress, read, step, add } = await setUp({ checked: 3 });
    add(8, 0, 3);
    add(9, 3, 9);
    await step();
    expect(read).toEqual([]);
    expect(progress.checks?.checked).toEqual(at(9));
  });

  it("keeps its state when a mark fails, and marks again", async () => {
    const { store, progress, step, add } = await setUp();
    add(0, 0, 5);
    add(1, 5, 7, 1);
    store.failure = new Error("unavailable");
    await expect(step()).rejects.toThrow("unavailable");
    expect(progress.checks?.checked).toEqual(at(5));
    store.failure = undefined;
    await step();
    expect(progress.checks?.checked).toEqual(at(7));
  });
});
