import { silentLogger } from "@devicemesh/kit/observability/logger";
import { startTestMetrics } from "@devicemesh/kit/testing/metrics-scrape";
import { waitUntil } from "@devicemesh/kit/testing/test-helpers";
import { expect, it } from "vitest";
import { createMemoryAggregatorStore } from "../testing/memory-aggregator-store.ts";
import { createMemorySession } from "../testing/window-job-memory-session.ts";
import { type ActiveAggregator, startActive } from "./active-aggregator.ts";
import { registerAggregatorMetrics } from "./metrics.ts";
import type { AggregatorView } from "./service.ts";
import { startWindowJob } from "./window-job/window-job.ts";

const nowMs = Date.UTC(2026, 10, 25, 12, 0, 30);
const clock = () => nowMs;
const settings = {
  levels: [
    { windowMs: 10_000, segmentMs: 10_000 },
    { windowMs: 600_000, segmentMs: 600_000 },
    { windowMs: 86_400_000, segmentMs: 86_400_000 },
  ],
  partitions: 1,
};

const waiting: AggregatorView = {
  active: undefined,
  holder: "other",
  published: undefined,
  levels: [],
  problems: ["starting"],
};

/** A batch in Spark's format, with this number of messages, up to the 40th. */
function batchOf(batchId: number, rows: number, dropped = 0): string {
  return JSON.stringify({
    batchId,
    batchDuration: 1500,
    eventTime: { watermark: new Date(nowMs - 8000).toISOString() },
    sources: [{ numInputRows: rows, endOffset: { m: { 0: 40 } } }],
    stateOperators: [{ numRowsTotal: 6, numRowsDroppedByWatermark: dropped }],
  });
}

/** A leader over memory: a log whose end is 100, a sink that has stored everything, two windows with duplicates. */
function startInMemory(onBatch: Parameters<typeof startWindowJob>[0]["onBatch"]) {
  const store = createMemoryAggregatorStore(settings);
  for (const windowMs of [nowMs - 50_000, nowMs - 40_000]) {
    const at = {
      firstDuplicateMs: nowMs - 30_000,
      lastDuplicateMs: nowMs - 30_000,
      repairedThroughMs: undefined,
    };
    store.repeated.push({ deviceId: "a", sensor: "temperature", windowMs, ...at });
  }
  const spark = createMemorySession();
  const logger = silentLogger();
  const none = { windows: new Map(), deadLetters: new Map() };
  const started = startActive({
    names: {} as Parameters<typeof startActive>[0]["names"],
    settings,
    clockSkewMs: 0,
    holder: "us",
    store,
    ticks: {
      appendRound: async () => ({
        ticks: [{ partition: 0, offset: 99, appendedMs: nowMs - 5000 }],
        lost: [],
      }),
      async [Symbol.asyncDispose]() {},
    },
    offsets: {
      committedMessages: async () => new Map([[0, 100]]),
      messageEnds: async () => new Map([[0, 100]]),
      ends: async () => none,
      committed: async () => none,
      messageOffsetsAt: async () => new Map([[0, 100]]),
      async [Symbol.asyncDispose]() {},
    },
    logReader: { read: async () => {} },
    startWindowJob: ({ sinceOf, onBatch: reported }) =>
      startWindowJob({
        spark,
        meaning: { topic: "m", outputTopic: "w", partitions: 1, windowMs: 10_000, segmentMs: 10_000 },
        brokers: [],
        checkpoints: "/checkpoints",
        watermarkDelayMs: 0,
        sinceOf,
        onBatch: reported,
        logger,
        intervals: { pollMs: 1, unavailableMs: 1, restarts: { firstMs: 1, longestMs: 1 } },
      }),
    onBatch,
    logger,
    clock,
  });
  return { started, store, spark };
}

it("as a standby, exports that it is not active, counts of 0, and the published ages", async () => {
  await using reported = await startTestMetrics();
  let view = waiting;
  registerAggregatorMetrics(reported.metrics, { view: () => view, clock });
  const before = await reported.scrape();
  for (const name of [
    "batches_total",
    "rows_total",
    "rows_dropped_total",
    "restarts_total",
    "batch_seconds_count",
  ]) {
    expect(before.value(`devicemesh_aggregator_window_job_${name}`)).toBe(0);
  }
  expect(before.value("devicemesh_aggregator_repairs_total")).toBe(0);
  expect(before.value("devicemesh_aggregator_active")).toBe(0);
  expect(before.value("devicemesh_aggregator_problems")).toBe(1);
  for (const name of ["frontier_age_seconds", "complete_through_age_seconds", "window_job_lag_messages"]) {
    expect(before.names.has(`devicemesh_aggregator_${name}`)).toBe(false);
  }

  const published = { completeThroughMs: nowMs - 2500, frontiersMs: [nowMs - 20_000, nowMs - 600_000, 0] };
  view = { ...waiting, levels: settings.levels, published: { ...published, logEndMs: undefined } };
  const after = await reported.scrape();
  expect(after.value("devicemesh_aggregator_complete_through_age_seconds")).toBe(2.5);
  expect(after.by("devicemesh_aggregator_frontier_age_seconds", "level")).toEqual({
    "10s": 20,
    "10min": 600,
  });
});

it("as leader, exports batches, rows, lag, restarts, repairs and the ages of its frontiers", async () => {
  await using reported = await startTestMetrics();
  let active: ActiveAggregator | undefined;
  const view = (): AggregatorView => ({ ...waiting, active, levels: settings.levels, problems: [] });
  const { onBatch } = registerAggregatorMetrics(reported.metrics, { view, clock });
  const { started, store, spark } = startInMemory(onBatch);
  await using running = await started;
  active = running;
  await waitUntil(() => spark.queries.length === 1);
  spark.queries[0]!.progress.push(batchOf(0, 30), batchOf(1, 9), batchOf(2, 1, 4));
  await waitUntil(() => store.repairs.length > 0 && running.lag() === 60, { timeoutMs: 10_000 });
  const first = await reported.scrape();
  const job = (name: string) => first.value(`devicemesh_aggregator_window_job_${name}`);
  expect([job("batches_total"), job("rows_total"), job("rows_dropped_total")]).toEqual([3, 40, 4]);
  expect([job("batch_seconds_count"), job("batch_seconds_sum")]).toEqual([3, 4.5]);
  expect([job("lag_messages"), job("state_rows"), job("restarts_total")]).toEqual([60, 6, 0]);
  expect(first.value("devicemesh_aggregator_active")).toBe(1);
  expect(first.value("devicemesh_aggregator_complete_through_age_seconds")).toBe(5);
  // The last end of a segment before the watermark.
  expect(first.value("devicemesh_aggregator_frontier_age_seconds", { level: "10s" })).toBe(10);
  expect(first.value("devicemesh_aggregator_repairs_total")).toBe(2);
  expect(first.value("devicemesh_aggregator_dirty_windows")).toBe(0);

  spark.queries[0]!.isActive = false;
  spark.queries[0]!.failure = { message: "died", stackTrace: "" };
  await waitUntil(() => spark.queries.length === 2);
  expect((await reported.scrape()).value("devicemesh_aggregator_window_job_restarts_total")).toBe(1);
});
