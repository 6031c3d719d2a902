import { alignDown, defaultLevels, type Level } from "@devicemesh/proto";
import fc from "fast-check";
import { expect, it } from "vitest";
import type { Aggregate } from "../plan/merge.ts";
import { partialOfReading } from "../plan/merge.ts";
import { isInScan } from "../plan/spans.ts";
import type { ReadingStore, ReadPlan } from "../store/reading-store.ts";
import { readSketchQuantiles } from "./read-sketches.ts";

const nowMs = Date.UTC(2026, 10, 24, 12);
const minuteMs = 60_000;
const dayMs = 86_400_000;
const [finest, tenMinutes, day] = defaultLevels as [Level, Level, Level];
const frontiersMs = [nowMs - 10_000, alignDown(nowMs, tenMinutes.segmentMs), alignDown(nowMs, day.segmentMs)];

const minutes = fc.integer({ min: -3 * 1440, max: 0 });
const worlds = fc.record({
  lateMinutes: fc.array(minutes, { maxLength: 12 }),
  duplicateMinutes: fc.array(minutes, { maxLength: 4 }),
  since: minutes,
  points: fc.array(fc.tuple(minutes, fc.nat({ max: 59_999 }), minutes), { minLength: 1, maxLength: 50 }),
});

/** Plans quantiles of a timeframe over a store whose windows have these marks, and returns the plan. */
async function planOf(
  marks: readonly { readonly windowMs: number; readonly firstDuplicateMs: number }[],
  sinceMs: number,
) {
  let plan: Pick<ReadPlan, "levels" | "raw"> | undefined;
  const series = { deviceId: "a", sensor: "temperature" } as const;
  const store = {
    levels: defaultLevels,
    readHorizon: async () => ({
      completeThroughMs: nowMs,
      frontiersMs,
      levelsKeptSinceMs: frontiersMs.map(() => Number.NEGATIVE_INFINITY),
      rawKeptSinceMs: Number.NEGATIVE_INFINITY,
      coarsePureSinceMs: 1,
    }),
    readDuplicateWindows: async () => ({
      windows: marks.map((mark) => ({ ...series, ...mark, lastDuplicateMs: nowMs })),
    }),
    async readSketches(request) {
      plan = request.plan;
      return { sketches: [], notCovered: [] };
    },
  } satisfies Partial<ReadingStore> as unknown as ReadingStore;
  const readingAt = (timestampMs: number) => partialOfReading({ ...series, timestampMs, value: 1 });
  const row: Aggregate = {
    ...series,
    unit: "",
    bucketMs: 0,
    partial: { ...readingAt(sinceMs), lastAtMs: nowMs },
    average: 1,
    standardDeviation: 0,
    fromRaw: 0,
  };
  const filter = { deviceIds: [], sensors: [] };
  const timeframe = { sinceMs, toMs: nowMs + dayMs };
  await readSketchQuantiles(
    store,
    { filter, grouping: "series", timeframe, rows: [row], quantiles: [0.5] },
    new AbortController().signal,
  );
  return plan as Pick<ReadPlan, "levels" | "raw">;
}

it("reads each reading once, and windows with late appends from raw readings only", async () => {
  await fc.assert(
    fc.asyncProperty(worlds, async ({ lateMinutes, duplicateMinutes, since, points }) => {
      const at = (minute: number): number => nowMs + minute * minuteMs;
      const lateMs = lateMinutes.map((minute) => alignDown(at(minute), finest.windowMs));
      const plan = await planOf(
        [
          ...lateMs.map((windowMs) => ({ windowMs, firstDuplicateMs: 0 })),
          ...duplicateMinutes.map((minute) => ({ windowMs: at(minute), firstDuplicateMs: at(minute) })),
        ],
        at(since),
      );
      const lateWindows = new Set(lateMs.map((ms) => alignDown(ms, tenMinutes.windowMs)));
      for (const [minute, ms, arrivedMinute] of points) {
        const timestampMs = at(minute) + ms;
        if (timestampMs < at(since)) continue;
        const arrivedMs = at(arrivedMinute);
        const raw = plan.raw.filter((scan) => isInScan(scan, timestampMs, arrivedMs)).length;
        const folded = plan.levels.map((scans, level) => {
          const { windowMs, segmentMs } = defaultLevels[level] as Level;
          if (arrivedMs >= (frontiersMs[level] as number)) return 0;
          const [window, segment] = [alignDown(timestampMs, windowMs), alignDown(arrivedMs, segmentMs)];
          return scans.filter((scan) => isInScan(scan, window, segment)).length;
        });
        expect(folded.reduce((sum, count) => sum + count, raw)).toBe(1);
        if (lateWindows.has(alignDown(timestampMs, tenMinutes.windowMs))) expect(raw).toBe(1);
      }
      expect(plan.raw.length + plan.levels.flat().length).toBeLessThan(80);
    }),
  );
});

it("reads windows with duplicates from sketches, which count each reading once", async () => {
  const without = await planOf([], nowMs - 2 * dayMs);
  const marks = [{ windowMs: nowMs - dayMs, firstDuplicateMs: nowMs - dayMs }];
  expect(await planOf(marks, nowMs - 2 * dayMs)).toEqual(without);
});
