import { defaultLevels, type Level } from "@devicemesh/proto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bucketGrids } from "../../testing/bucket-grids-fixture.ts";
import { bucketStarts } from "../calendar/bucket-grid.ts";
import type { Scan } from "../store/reading-store.ts";
import type { StoreHorizon } from "../store/store-status.ts";
import { allTime, type PlannedRead, planRead } from "./planner.ts";

const dayMs = 86_400_000;
const baseMs = Date.UTC(2026, 0, 1);
const keepAll = Number.NEGATIVE_INFINITY;

/** Few, small levels: every boundary is met often. */
const smallLevels: readonly Level[] = [
  { windowMs: 10, segmentMs: 10 },
  { windowMs: 30, segmentMs: 40 },
  { windowMs: 120, segmentMs: 80 },
];

function horizon(options: Partial<StoreHorizon> = {}): StoreHorizon {
  return {
    completeThroughMs: 0,
    frontiersMs: [0, 0, 0],
    levelsKeptSinceMs: [keepAll, keepAll, keepAll],
    rawKeptSinceMs: keepAll,
    ...options,
  };
}

function down(ms: number, size: number): number {
  return Math.floor(ms / size) * size;
}

function isIn(scan: Scan, timeMs: number, arrivedMs: number): boolean {
  return (
    timeMs >= scan.sinceMs &&
    timeMs < scan.toMs &&
    arrivedMs >= scan.arrivedSinceMs &&
    arrivedMs < scan.arrivedToMs
  );
}

/** Returns the names of the scans that contain a reading, in its forms in the store. */
function placesOf(
  { plan }: PlannedRead,
  levels: readonly Level[],
  frontiersMs: readonly number[],
  reading: { readonly timestampMs: number; readonly arrivedMs: number },
): string[] {
  const { timestampMs, arrivedMs } = reading;
  const places = plan.raw.filter((scan) => isIn(scan, timestampMs, arrivedMs)).map(() => "raw");
  for (const [level, { windowMs, segmentMs }] of levels.entries()) {
    // Before it is folded no partial contains it.
    if (arrivedMs >= (frontiersMs[level] as number)) continue;
    const [window, segment] = [down(timestampMs, windowMs), down(arrivedMs, segmentMs)];
    for (const scan of plan.levels[level] ?? []) {
      if (isIn(scan, window, segment)) places.push(`level ${level}`);
    }
  }
  return places;
}

const world = fc.record({
  since: fc.integer({ min: -300, max: 300 }),
  length: fc.integer({ min: 0, max: 600 }),
  // In segments of the coarsest, middle and finest level, each later than the previous one.
  frontiers: fc.tuple(fc.nat(4), fc.nat(3), fc.nat(9)),
  kept: fc.tuple(fc.integer({ min: -4, max: 4 }), fc.nat(3), fc.nat(3), fc.nat(5)),
  isExpiring: fc.boolean(),
  buckets: bucketGrids(baseMs - 400, baseMs + 1000),
});

function settle({
  since,
  length,
  frontiers,
  kept,
  isExpiring,
  buckets,
}: typeof world extends fc.Arbitrary<infer T> ? T : never) {
  const sinceMs = baseMs + since;
  const coarse = frontiers[0] * 80;
  const middle = down(coarse + frontiers[1] * 40, 40);
  const fine = middle + frontiers[2] * 10;
  const frontiersMs = [fine, middle, coarse];
  // A level is kept since a multiple of the next coarser window; finer ones never since earlier.
  const up = (ms: number, size: number): number => Math.ceil(ms / size) * size;
  const coarseKept = down(baseMs + kept[0] * 60, 120);
  const middleKept = up(coarseKept + kept[1] * 60, 120);
  const fineKept = up(middleKept + kept[2] * 30, 30);
  const rawKept = up(fineKept + kept[3] * 10, 10);
  const keep = isExpiring
    ? { levelsKeptSinceMs: [fineKept, middleKept, coarseKept], rawKeptSinceMs: rawKept }
    : {};
  return {
    request: {
      sinceMs,
      toMs: sinceMs + length,
      levels: smallLevels,
      horizon: horizon({ frontiersMs, ...keep }),
      buckets,
    },
    frontiersMs,
  };
}

/** Readings at every millisecond around the timeframe that arrived around every frontier. */
function* readingsAround(sinceMs: number, toMs: number) {
  for (let timestampMs = sinceMs - 3; timestampMs < toMs + 3; timestampMs++) {
    for (let arrivedMs = 5; arrivedMs < 700; arrivedMs += 10) yield { timestampMs, arrivedMs };
  }
}

describe("planRead", () => {
  it("has each covered reading in exactly one scan, and no other reading", () => {
    fc.assert(
      fc.property(world, (drawn) => {
        const { request, frontiersMs } = settle(drawn);
        const planned = planRead(request);
        for (const reading of readingsAround(request.sinceMs, request.toMs)) {
          const { timestampMs } = reading;
          const isAsked = timestampMs >= request.sinceMs && timestampMs < request.toMs;
          const isCovered = !planned.notCovered.some(
            ({ sinceMs, toMs }) => timestampMs >= sinceMs && timestampMs < toMs,
          );
          const places = placesOf(planned, smallLevels, frontiersMs, reading);
          if (places.length !== (isAsked && isCovered ? 1 : 0)) {
            throw new Error(`${JSON.stringify(reading)} is in ${JSON.stringify(places)}`);
          }
        }
      }),
      { numRuns: 150 },
    );
  });

  it("reads nothing that may have expired", () => {
    fc.assert(
      fc.property(world, (drawn) => {
        const { request } = settle({ ...drawn, isExpiring: true });
        const { frontiersMs, levelsKeptSinceMs, rawKeptSinceMs } = request.horizon;
        const { plan } = planRead(request);
        const scans = [
          ...plan.raw.map((scan) => ({ scan, keptSinceMs: rawKeptSinceMs, foldedToMs: frontiersMs[0] ?? 0 })),
          ...plan.levels.flatMap((level, place) =>
            level.map((scan) => ({
              scan,
              keptSinceMs: levelsKeptSinceMs[place] as number,
              // The coarsest level is not folded any further: old data expires.
              foldedToMs: frontiersMs[place + 1] ?? frontiersMs[place] ?? 0,
            })),
          ),
        ];
        for (const { scan, keptSinceMs, foldedToMs } of scans) {
          expect(scan.sinceMs >= keptSinceMs || Math.max(scan.arrivedSinceMs, 0) >= foldedToMs).toBe(true);
        }
      }),
      { numRuns: 300 },
    );
  });

  it("leaves out only expired parts of the serving level, as ordered spans that do not touch", () => {
    fc.assert(
      fc.property(world, (drawn) => {
        const { request } = settle({ ...drawn, isExpiring: true });
        const { notCovered } = planRead(request);
        for (const [place, span] of notCovered.entries()) {
          expect(span.sinceMs).toBeLessThan(span.toMs);
          expect(span.toMs).toBeLessThanOrEqual(request.horizon.rawKeptSinceMs);
          expect(span.sinceMs).toBeGreaterThan(notCovered[place - 1]?.toMs ?? Number.NEGATIVE_INFINITY);
        }
      }),
      { numRuns: 300 },
    );
  });

  it("uses no window that crosses the boundary of a bucket", () => {
    fc.assert(
      fc.property(world, (drawn) => {
        const { request } = settle(drawn);
        const { buckets } = request;
        if (!buckets) return;
        for (const [level, scans] of planRead(request).plan.levels.entries()) {
          const { windowMs } = smallLevels[level] as Level;
          for (const scan of scans) {
            const borders = [...bucketStarts(buckets, scan)].filter((startMs) => startMs > scan.sinceMs);
            expect(borders.filter((startMs) => startMs % windowMs !== 0)).toEqual([]);
          }
        }
      }),
    );
  });

  it("reads days, then the edges level by level, then the newest readings", () => {
    const [sinceMs, toMs] = [baseMs - 2 * dayMs - 1, baseMs + 600_000];
    const [f0, f1, f2] = [baseMs + 3 * dayMs + 1_210_000, baseMs + 3 * dayMs + 1_200_000, baseMs + 3 * dayMs];
    const { plan, notCovered } = planRead({
      sinceMs,
      toMs,
      levels: defaultLevels,
      horizon: horizon({ frontiersMs: [f0, f1, f2] }),
    });
    const whole = { sinceMs: baseMs - 2 * dayMs, toMs: baseMs };
    const edge = { sinceMs: baseMs, toMs };
    const all = { sinceMs: whole.sinceMs, toMs };
    const infinity = Number.POSITIVE_INFINITY;
    expect(notCovered).toEqual([]);
    expect(plan.levels).toEqual([
      [{ ...all, arrivedSinceMs: f1, arrivedToMs: f0 }],
      [
        { ...whole, arrivedSinceMs: f2, arrivedToMs: f1 },
        { ...edge, arrivedSinceMs: -infinity, arrivedToMs: f1 },
      ],
      [{ ...whole, arrivedSinceMs: -infinity, arrivedToMs: f2 }],
    ]);
    expect(plan.raw).toEqual([
      { sinceMs, toMs: whole.sinceMs, arrivedSinceMs: -infinity, arrivedToMs: infinity },
      { ...all, arrivedSinceMs: f0, arrivedToMs: infinity },
    ]);
  });

  it("reads only raw readings, in one scan, if nothing is folded", () => {
    const { plan } = planRead({ ...allTime, levels: defaultLevels, horizon: horizon() });
    expect(plan.levels).toEqual([[], [], []]);
    expect(plan.raw).toEqual([
      { ...allTime, arrivedSinceMs: Number.NEGATIVE_INFINITY, arrivedToMs: Number.POSITIVE_INFINITY },
    ]);
  });

  it("clamps open bounds to all time, which has no partial windows", () => {
    const infinity = Number.POSITIVE_INFINITY;
    const kept = { levelsKeptSinceMs: [baseMs, baseMs, keepAll], rawKeptSinceMs: baseMs };
    const { plan, notCovered } = planRead({
      sinceMs: -infinity,
      toMs: infinity,
      levels: defaultLevels,
      horizon: horizon({ frontiersMs: [dayMs, dayMs, dayMs], ...kept }),
    });
    expect(notCovered).toEqual([]);
    expect(plan.levels[2]).toEqual([{ ...allTime, arrivedSinceMs: -infinity, arrivedToMs: dayMs }]);
  });

  it("lists the edge whose raw readings have expired, and reads nothing of it", () => {
    const [sinceMs, toMs] = [baseMs - 5, baseMs + 20_005];
    const kept = { rawKeptSinceMs: baseMs + 10_000 };
    const { plan, notCovered } = planRead({
      sinceMs,
      toMs,
      levels: defaultLevels,
      horizon: horizon({ frontiersMs: [dayMs, 0, 0], ...kept }),
    });
    expect(notCovered).toEqual([{ sinceMs, toMs: baseMs }]);
    expect(Math.min(...plan.raw.map((scan) => scan.sinceMs))).toBe(baseMs);
  });

  it("plans nothing for an empty timeframe", () => {
    const { plan, notCovered } = planRead({ sinceMs: 5, toMs: 5, levels: defaultLevels, horizon: horizon() });
    expect([plan.levels.flat(), plan.raw, notCovered]).toEqual([[], [], []]);
  });
});
