import type { Level } from "@devicemesh/proto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type PlannedRead, planRead } from "./planner.ts";
import type { Scan, SeriesName, SeriesSpan, StoreHorizon, WindowRepeats } from "./reading-store.ts";

/** Few, small levels: every border is met often. */
const levels: readonly Level[] = [
  { windowMs: 10, segmentMs: 10 },
  { windowMs: 30, segmentMs: 40 },
  { windowMs: 120, segmentMs: 80 },
];
const baseMs = Date.UTC(2026, 0, 1);
const keepAll = Number.NEGATIVE_INFINITY;
const names = ["a", "b", "c"].map((deviceId): SeriesName => ({ deviceId, sensor: "temperature" }));

type Reading = SeriesName & { readonly timestampMs: number; readonly arrivedMs: number };

function down(ms: number, size: number): number {
  return Math.floor(ms / size) * size;
}

/** Where a reading is found, in the forms it has in the store; `T` is a repair and when it was made. */
function placesOf(
  { plan }: PlannedRead,
  frontiersMs: readonly number[],
  repeats: readonly WindowRepeats[],
  reading: Reading,
): string[] {
  const places: string[] = [];
  const look = (place: string, at: { readonly time: number; readonly arrived: number }, level?: number) => {
    const isIn = ({ sinceMs, toMs, arrivedSinceMs, arrivedToMs }: Scan): boolean =>
      at.time >= sinceMs && at.time < toMs && at.arrived >= arrivedSinceMs && at.arrived < arrivedToMs;
    const isOf = ({ series, sinceMs, toMs }: SeriesSpan): boolean =>
      at.time >= sinceMs && at.time < toMs && series.some(({ deviceId }) => deviceId === reading.deviceId);
    const [main, except, own] =
      level === undefined
        ? [plan.raw, plan.repeats?.except.raw, plan.repeats?.raw]
        : [plan.levels[level], plan.repeats?.except.levels[level], plan.repeats?.levels[level]];
    for (const scan of main ?? []) if (isIn(scan) && !except?.some(isOf)) places.push(place);
    for (const scan of own ?? []) if (isIn(scan) && isOf(scan)) places.push(`${place} of its own`);
  };
  look("raw", { time: reading.timestampMs, arrived: reading.arrivedMs });
  for (const [level, { windowMs, segmentMs }] of levels.entries()) {
    // Before it is folded there is no partial that holds it.
    if (reading.arrivedMs >= (frontiersMs[level] as number)) continue;
    const at = { time: down(reading.timestampMs, windowMs), arrived: down(reading.arrivedMs, segmentMs) };
    look(`level ${level}`, at, level);
  }
  const windowMs = down(reading.timestampMs, 10);
  for (const { series, sinceMs, toMs, throughMs } of plan.repeats?.repairs ?? []) {
    if (windowMs < sinceMs || windowMs >= toMs) continue;
    if (!series.some(({ deviceId }) => deviceId === reading.deviceId)) continue;
    const repair = repeats.find(
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

const world = fc.record({
  since: fc.integer({ min: -300, max: 300 }),
  length: fc.integer({ min: 0, max: 600 }),
  frontiers: fc.tuple(fc.nat(4), fc.nat(3), fc.nat(9)),
  kept: fc.tuple(fc.integer({ min: -4, max: 4 }), fc.nat(3), fc.nat(3), fc.nat(5)),
  isExpiring: fc.boolean(),
  bucket: fc.constantFrom(undefined, 10, 30, 60, 120),
  marks,
  spansMax: fc.constantFrom(undefined, undefined, 12, 6, 1),
});
type Drawn = typeof world extends fc.Arbitrary<infer T> ? T : never;

function settle({ since, length, frontiers, kept, isExpiring, bucket, marks: drawn, spansMax }: Drawn) {
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
  };
  const repeats = [
    ...new Map(
      drawn.map(({ series, window, first, more, repair }): [string, WindowRepeats] => [
        `${series}|${window}`,
        {
          ...(names[series] as SeriesName),
          windowMs: baseMs + window * 10,
          firstRepeatMs: first * 10 + 5,
          lastRepeatMs: (first + more) * 10 + 5,
          repairThroughMs: repair === undefined ? undefined : repair * 10,
        },
      ]),
    ).values(),
  ];
  return {
    request: { sinceMs, toMs: sinceMs + length, levels, horizon, bucketMs: bucket, repeats, spansMax },
    frontiersMs,
  };
}

/** Readings around the timeframe, in every window, that arrived around every frontier. */
function* readingsAround(sinceMs: number, toMs: number): Generator<Reading> {
  for (let timestampMs = sinceMs - 3; timestampMs < toMs + 3; timestampMs += 3) {
    for (let arrivedMs = 5; arrivedMs < 720; arrivedMs += 10) {
      for (const name of names) yield { ...name, timestampMs, arrivedMs };
    }
  }
}

const isIn =
  (ms: number) =>
  ({ sinceMs, toMs }: { readonly sinceMs: number; readonly toMs: number }): boolean =>
    ms >= sinceMs && ms < toMs;

describe("planRead with repeats", () => {
  it("holds each reading of what it covers in exactly one scan, whichever windows are marked", () => {
    fc.assert(
      fc.property(world, (drawn) => {
        const { request, frontiersMs } = settle(drawn);
        const planned = planRead(request);
        const coveredFor = new Map(
          names.map(({ deviceId }) => {
            const repeats = request.repeats.filter((window) => window.deviceId === deviceId);
            return [deviceId, planRead({ ...request, repeats, spansMax: undefined }).notCovered];
          }),
        );
        for (const reading of readingsAround(request.sinceMs, request.toMs)) {
          const { timestampMs, deviceId } = reading;
          const isAsked = timestampMs >= request.sinceMs && timestampMs < request.toMs;
          const places = placesOf(planned, frontiersMs, request.repeats, reading);
          const isTold = !planned.notCovered.some(isIn(timestampMs));
          const isCovered = !coveredFor.get(deviceId)?.some(isIn(timestampMs));
          // What is left out of one series may be told of another; wider raw spans may cover more.
          const wanted = !isAsked
            ? [0]
            : isTold
              ? [1]
              : drawn.spansMax === undefined
                ? [Number(isCovered)]
                : [0, 1];
          if (!wanted.includes(places.length)) {
            throw new Error(`${JSON.stringify(reading)} is in ${JSON.stringify(places)}, not in ${wanted}`);
          }
        }
      }),
      { numRuns: 150 },
    );
  });

  it("takes nothing that may hold a reading twice: no partial of a marked window before its frontier", () => {
    fc.assert(
      fc.property(world, (drawn) => {
        const { request, frontiersMs } = settle(drawn);
        const planned = planRead(request);
        for (const window of request.repeats) {
          const { deviceId, sensor, windowMs, firstRepeatMs, lastRepeatMs } = window;
          for (const arrivedMs of [firstRepeatMs, lastRepeatMs]) {
            // The copy that came: in partials it counts, in raw readings and repairs it does not.
            const copy = { deviceId, sensor, timestampMs: windowMs + 1, arrivedMs };
            const places = placesOf(planned, frontiersMs, request.repeats, copy);
            expect(places.filter((place) => place.startsWith("level"))).toEqual([]);
          }
        }
      }),
      { numRuns: 500 },
    );
  });

  it("uses no repair beyond the frontier in hand, nor one before the last repeat", () => {
    fc.assert(
      fc.property(world, (drawn) => {
        const { request, frontiersMs } = settle(drawn);
        for (const { throughMs, sinceMs, toMs, series } of planRead(request).plan.repeats?.repairs ?? []) {
          expect(throughMs).toBeLessThanOrEqual(frontiersMs[0] as number);
          for (const { windowMs, deviceId, lastRepeatMs } of request.repeats) {
            const isOf = isIn(windowMs)({ sinceMs, toMs }) && series.some((one) => one.deviceId === deviceId);
            if (isOf) expect(lastRepeatMs).toBeLessThan(throughMs);
          }
        }
      }),
      { numRuns: 500 },
    );
  });

  it("needs no more than the plan without repeats where all repeats arrived after the frontier", () => {
    fc.assert(
      fc.property(world, (drawn) => {
        const { request, frontiersMs } = settle(drawn);
        const repeats = request.repeats.map((window) => ({
          ...window,
          firstRepeatMs: window.firstRepeatMs + (frontiersMs[0] as number),
        }));
        expect(planRead({ ...request, repeats })).toEqual(planRead({ ...request, repeats: [] }));
      }),
    );
  });

  it("reads an hour that all series sent again in one span of each kind", () => {
    const series = Array.from({ length: 50 }, (_, place) => ({ deviceId: `d${place}`, sensor: "humidity" }));
    const repeats = series.flatMap((name) =>
      Array.from({ length: 36 }, (_, place) => ({
        ...name,
        windowMs: baseMs + place * 10,
        firstRepeatMs: 300,
        lastRepeatMs: 310,
        repairThroughMs: 320,
      })),
    );
    const horizon = {
      completeThroughMs: 0,
      frontiersMs: [400, 400, 400],
      levelsKeptSinceMs: levels.map(() => keepAll),
      rawKeptSinceMs: keepAll,
    };
    const { plan } = planRead({ sinceMs: baseMs - 240, toMs: baseMs + 600, levels, horizon, repeats });
    const hour = { sinceMs: baseMs, toMs: baseMs + 360, series };
    expect(plan.repeats).toEqual({
      except: { levels: [[hour], [hour], [hour]], raw: [] },
      levels: [[{ ...hour, arrivedSinceMs: 320, arrivedToMs: 400 }], [], []],
      raw: [],
      repairs: [{ ...hour, throughMs: 320 }],
    });
  });

  it("has at most so many spans, however the windows lie, while raw readings are kept", () => {
    fc.assert(
      fc.property(world, (drawn) => {
        const { request } = settle({ ...drawn, isExpiring: false });
        const { repeats } = planRead({ ...request, spansMax: 6 }).plan;
        const spans = repeats
          ? [...repeats.except.levels, repeats.except.raw, ...repeats.levels, repeats.raw, repeats.repairs]
          : [];
        expect(spans.flat().length).toBeLessThanOrEqual(6);
      }),
      { numRuns: 500 },
    );
  });
});
