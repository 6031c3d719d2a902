import { silentLogger } from "@devicemesh/kit/observability/logger";
import { waitUntil } from "@devicemesh/kit/testing/test-helpers";
import { chainNames } from "@devicemesh/pipeline";
import { expect, it } from "vitest";
import { createMemoryAggregatorStore } from "../testing/memory-aggregator-store.ts";
import { batchOf, createMemoryWindowJob } from "../testing/memory-window-job.ts";
import { type StartWindowJob, startActive } from "./active-aggregator.ts";
import type { Tick } from "./log/ticks.ts";

const hourMs = 3_600_000;
const settings = { levels: [{ windowMs: 10_000, segmentMs: 10_000 }], partitions: 1 };
const nothing = { windows: new Map<string, number>(), deadLetters: new Map<string, number>() };

/** An aggregator over a log whose only records are its ticks, at the times of `nowMs`; its sinks keep up. */
async function activeAt(clock: { nowMs: number }, windows = { end: 0, committed: 0 }) {
  const store = createMemoryAggregatorStore(settings);
  await store.rememberCheckpoint("memory", async () => ({ sinceMs: 0, startingOffsets: new Map() }));
  const ticks: Tick[] = [];
  let jobOptions: Parameters<StartWindowJob>[0] | undefined;
  const read = async () => new Map([[0, ticks.length]]);
  const active = await startActive({
    names: chainNames({ prefix: "", database: "test" }),
    settings,
    clockSkewMs: 0,
    holder: "test",
    store,
    ticks: {
      async appendRound() {
        const tick = { partition: 0, offset: ticks.length, appendedMs: clock.nowMs };
        ticks.push(tick);
        return { ticks: [tick], lost: [] };
      },
      async [Symbol.asyncDispose]() {},
    },
    offsets: {
      committedMessages: read,
      messageEnds: read,
      ends: async () => ({ ...nothing, windows: new Map([["w/0", windows.end]]) }),
      committed: async () => ({ ...nothing, windows: new Map([["w/0", windows.committed]]) }),
      messageOffsetsAt: async () => new Map(),
      async [Symbol.asyncDispose]() {},
    },
    logReader: { read: async () => {} },
    startWindowJob(options) {
      jobOptions = options;
      return createMemoryWindowJob();
    },
    logger: silentLogger(),
    clock: () => clock.nowMs,
    // Only what wakes a loop makes it run again.
    intervals: { ticks: hourMs, frontier: hourMs, hurry: 1, maintenance: hourMs, status: hourMs },
  });
  await waitUntil(() => ticks.length > 0 && active.progress.checks !== undefined);
  return { active, store, windows, job: jobOptions as Parameters<StartWindowJob>[0] };
}

it("the frontier moves as soon as a batch has closed a segment, not only after its interval", async () => {
  const { active, job, store } = await activeAt({ nowMs: 40_005 });
  await using _active = active;
  job.onBatch?.(batchOf({ batch: 1, watermarkMs: 40_005, endOffsets: new Map([[0, 1]]) }));
  await waitUntil(() => store.published.frontiersMs[0] === 40_000);
});

it("the frontier moves as soon as the sink has stored the partials, not only after its interval", async () => {
  const { active, job, store, windows } = await activeAt({ nowMs: 40_005 }, { end: 3, committed: 2 });
  await using _active = active;
  job.onBatch?.(batchOf({ batch: 1, watermarkMs: 40_005, endOffsets: new Map([[0, 1]]) }));
  await waitUntil(() => active.progress.frontier.target?.toMs === 40_000);
  windows.committed = 3;
  await waitUntil(() => store.published.frontiersMs[0] === 40_000);
});

it("Spark is polled often from the end of a segment by the log's clock until it is closed", async () => {
  const clock = { nowMs: 39_999 };
  const { active, job } = await activeAt(clock);
  await using _active = active;
  expect(job.isSegmentDue(39_000)).toBe(false);
  clock.nowMs = 40_000;
  expect(job.isSegmentDue(39_000)).toBe(true);
  active.progress.logAheadMs = -5;
  expect(job.isSegmentDue(39_000)).toBe(false);
  active.progress.logAheadMs = 0;
  expect(job.isSegmentDue(40_000)).toBe(false);
});
