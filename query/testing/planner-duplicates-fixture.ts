import type { Level } from "@devicemesh/proto";
import fc from "fast-check";
import type { PlannedRead } from "../src/plan/planner.ts";
import type { DuplicateWindow, Scan, SeriesName, SeriesSpan } from "../src/store/reading-store.ts";
import type { StoreHorizon } from "../src/store/store-status.ts";
import { bucketGrids } from "./bucket-grids-fixture.ts";

/** Few, small levels: every boundary is met often. */
export const levels: readonly Level[] = [
  { windowMs: 10, segmentMs: 10 },
  { windowMs: 30, segmentMs: 40 },
  { windowMs: 120, segmentMs: 80 },
];
export const baseMs = Date.UTC(2026, 0, 1);
export const keepAll = Number.NEGATIVE_INFINITY;
export const names = ["a", "b", "c"].map((deviceId): SeriesName => ({ deviceId, sensor: "temperature" }));

export type Reading = SeriesName & { readonly timestampMs: number; readonly arrivedMs: number };

function down(ms: number, size: number): number {
  return Math.floor(ms / size) * size;
}

/** The places of a reading, in its forms in the store; `T` is a repair and its frontier. */
export function placesOf(
  { plan }: PlannedRead,
  frontiersMs: readonly number[],
  duplicates: readonly DuplicateWindow[],
  reading: Reading,
): string[] {
  const places: string[] = [];
  const check = (place: string, at: { readonly time: number; readonly arrived: number }, level?: number) => {
    const isIn = ({ sinceMs, toMs, arrivedSinceMs, arrivedToMs }: Scan): boolean =>
      at.time >= sinceMs && at.time < toMs && at.arrived >= arrivedSinceMs && at.arrived < arrivedToMs;
    const isOf = ({ series, sinceMs, toMs }: SeriesSpan): boolean =>
      at.time >= sinceMs && at.time < toMs && series.some(({ deviceId }) => deviceId === reading.deviceId);
    const [main, except, own] =
      level === undefined
        ? [plan.raw, plan.duplicates?.except.raw, plan.duplicates?.raw]
        : [plan.levels[level], plan.duplicates?.except.levels[level], plan.duplicates?.levels[level]];
    for (const scan of main ?? []) if (isIn(scan) && !except?.some(isOf)) places.push(place);
    for (const scan of own ?? []) if (isIn(scan) && isOf(scan)) places.push(`${place} of its own`);
  };
  check("raw", { time: reading.timestampMs, arrived: reading.arrivedMs });
  for (const [level, { windowMs, segmentMs }] of levels.entries()) {
    // Before it is folded no partial contains it.
    if (reading.arrivedMs >= (frontiersMs[level] as number)) continue;
    const at = { time: down(reading.timestampMs, windowMs), arrived: down(reading.arrivedMs, segmentMs) };
    check(`level ${level}`, at, level);
  }
  const windowMs = down(reading.timestampMs, 10);
  for (const { series, sinceMs, toMs, throughMs } of plan.duplicates?.repairs ?? []) {
    if (windowMs < sinceMs || windowMs >= toMs) continue;
    if (!series.some(({ deviceId }) => deviceId === reading.deviceId)) continue;
    const repair = duplicates.find(
      (window) => window.deviceId === reading.deviceId && window.windowMs === windowMs,
    )?.repairThroughMs;
    if (repair !== throughMs) places.push("a repair that is not there");
    else if (reading.arrivedMs < throughMs) places.push("repair");
  }
  return places;
}

const marks = fc.array(
  fc.record({
    series: fc.nat(2),
    window: fc.integer({ min: -32, max: 92 }),
    first: fc.nat(70),
    more: fc.constantFrom(0, 0, 1, 9, 40),
    repair: fc.option(fc.nat(70), { nil: undefined }),
  }),
  { maxLength: 14 },
);

export const world = fc.record({
  since: fc.integer({ min: -300, max: 300 }),
  length: fc.integer({ min: 0, max: 600 }),
  frontiers: fc.tuple(fc.nat(4), fc.nat(3), fc.nat(9)),
  kept: fc.tuple(fc.integer({ min: -4, max: 4 }), fc.nat(3), fc.nat(3), fc.nat(5)),
  isExpiring: fc.boolean(),
  buckets: bucketGrids(baseMs - 400, baseMs + 1000),
  marks,
  spansMax: fc.constantFrom(undefined, undefined, 12, 6, 1),
  seriesMax: fc.constantFrom(undefined, undefined, 1),
  // The start of purity of the levels above the finest, in segments of the coarsest.
  pureSince: fc.constantFrom(undefined, undefined, 0, 0, 2),
});
export type Drawn = typeof world extends fc.Arbitrary<infer T> ? T : never;

export function settle(world: Drawn) {
  const { since, length, frontiers, kept, isExpiring, buckets, marks: drawn, spansMax, seriesMax } = world;
  const sinceMs = baseMs + since;
  const up = (ms: number, size: number): number => Math.ceil(ms / size) * size;
  const coarse = frontiers[0] * 80;
  const middle = down(coarse + frontiers[1] * 40, 40);
  const frontiersMs = [middle + frontiers[2] * 10, middle, coarse];
  const coarseKept = down(baseMs + kept[0] * 60, 120);
  const middleKept = up(coarseKept + kept[1] * 60, 120);
  const fineKept = up(middleKept + kept[2] * 30, 30);
  const horizon: StoreHorizon = {
    completeThroughMs: 0,
    frontiersMs,
    levelsKeptSinceMs: isExpiring ? [fineKept, middleKept, coarseKept] : levels.map(() => keepAll),
    rawKeptSinceMs: isExpiring ? up(fineKept + kept[3] * 10, 10) : keepAll,
    ...(world.pureSince !== undefined && { coarsePureSinceMs: world.pureSince * 80 }),
  };
  const windows = [
    ...new Map(
      drawn.map(({ series, window, first, more, repair }): [string, DuplicateWindow] => [
        `${series}|${window}`,
        {
          ...(names[series] as SeriesName),
          windowMs: baseMs + window * 10,
          firstDuplicateMs: first * 10 + 5,
          lastDuplicateMs: (first + more) * 10 + 5,
          repairThroughMs: repair === undefined ? undefined : repair * 10,
        },
      ]),
    ).values(),
  ];
  return {
    request: {
      sinceMs,
      toMs: sinceMs + length,
      levels,
      horizon,
      buckets,
      spansMax,
      seriesMax,
      duplicates: { windows },
    },
    windows,
    frontiersMs,
  };
}

/** Readings around the timeframe, in every window, that arrived around every frontier. */
export function* readingsAround(sinceMs: number, toMs: number): Generator<Reading> {
  for (let timestampMs = sinceMs - 3; timestampMs < toMs + 3; timestampMs += 3) {
    for (let arrivedMs = 5; arrivedMs < 720; arrivedMs += 10) {
      for (const name of names) yield { ...name, timestampMs, arrivedMs };
    }
  }
}

export const isIn =
  (ms: number) =>
  ({ sinceMs, toMs }: { readonly sinceMs: number; readonly toMs: number }): boolean =>
    ms >= sinceMs && ms < toMs;
