import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  baseMs,
  isIn,
  keepAll,
  levels,
  names,
  placesOf,
  readingsAround,
  settle,
  world,
} from "../../testing/planner-duplicates-fixture.ts";
import { planRead } from "./planner.ts";

describe("planRead with duplicates", () => {
  it("has each covered reading in exactly one scan, whichever windows are marked", () => {
    fc.assert(
      fc.property(world, (drawn) => {
        const { request, windows, frontiersMs } = settle(drawn);
        const planned = planRead(request);
        const isBounded = drawn.spansMax !== undefined || drawn.seriesMax !== undefined;
        const unbounded = { ...request, spansMax: undefined, seriesMax: undefined };
        const coveredFor = new Map(
          names.map(({ deviceId }) => {
            const duplicates = { windows: windows.filter((window) => window.deviceId === deviceId) };
            return [deviceId, planRead({ ...unbounded, duplicates }).notCovered];
          }),
        );
        for (const reading of readingsAround(request.sinceMs, request.toMs)) {
          const { timestampMs, deviceId } = reading;
          const isAsked = timestampMs >= request.sinceMs && timestampMs < request.toMs;
          const places = placesOf(planned, frontiersMs, windows, reading);
          const isReported = !planned.notCovered.some(isIn(timestampMs));
          const isCovered = !coveredFor.get(deviceId)?.some(isIn(timestampMs));
          // A span that one series leaves out may be covered for another; wider raw spans may cover more.
          const wanted = !isAsked ? [0] : isReported ? [1] : isBounded ? [0, 1] : [Number(isCovered)];
          if (!wanted.includes(places.length)) {
            throw new Error(`${JSON.stringify(reading)} is in ${JSON.stringify(places)}, not in ${wanted}`);
          }
        }
      }),
      { numRuns: 150 },
    );
  });

  it("reads nothing that may count a reading twice: no partial of a marked window before its frontier", () => {
    fc.assert(
      fc.property(world, (drawn) => {
        const { request, windows, frontiersMs } = settle(drawn);
        const planned = planRead(request);
        for (const window of windows) {
          const { deviceId, sensor, windowMs, firstDuplicateMs, lastDuplicateMs } = window;
          for (const arrivedMs of [firstDuplicateMs, lastDuplicateMs]) {
            // The duplicate counts in partials, but not in raw readings and repairs.
            const copy = { deviceId, sensor, timestampMs: windowMs + 1, arrivedMs };
            const places = placesOf(planned, frontiersMs, windows, copy);
            const isPure =
              firstDuplicateMs >= (request.horizon.coarsePureSinceMs ?? Number.POSITIVE_INFINITY);
            const impure = isPure ? "level 0" : "level";
            expect(places.filter((place) => place.startsWith(impure))).toEqual([]);
          }
        }
      }),
      { numRuns: 500 },
    );
  });

  it("uses no repair after the frontier in use, nor one before the last duplicate", () => {
    fc.assert(
      fc.property(world, (drawn) => {
        const { request, windows, frontiersMs } = settle(drawn);
        for (const { throughMs, sinceMs, toMs, series } of planRead(request).plan.duplicates?.repairs ?? []) {
          expect(throughMs).toBeLessThanOrEqual(frontiersMs[0] as number);
          for (const { windowMs, deviceId, lastDuplicateMs } of windows) {
            const isOf = isIn(windowMs)({ sinceMs, toMs }) && series.some((one) => one.deviceId === deviceId);
            if (isOf) expect(lastDuplicateMs).toBeLessThan(throughMs);
          }
        }
      }),
      { numRuns: 500 },
    );
  });

  it("equals the plan without duplicates if all duplicates arrived after the frontier", () => {
    fc.assert(
      fc.property(world, (drawn) => {
        const { request, windows, frontiersMs } = settle(drawn);
        const late = windows.map((window) => ({
          ...window,
          firstDuplicateMs: window.firstDuplicateMs + (frontiersMs[0] as number),
        }));
        const duplicates = { windows: late };
        expect(planRead({ ...request, duplicates })).toEqual(planRead({ ...request, duplicates: undefined }));
      }),
    );
  });

  it("reads an hour that all series sent again in one span of each kind", () => {
    const series = Array.from({ length: 50 }, (_, place) => ({ deviceId: `d${place}`, sensor: "humidity" }));
    const duplicates = series.flatMap((name) =>
      Array.from({ length: 36 }, (_, place) => ({
        ...name,
        windowMs: baseMs + place * 10,
        firstDuplicateMs: 300,
        lastDuplicateMs: 310,
        repairThroughMs: 320,
      })),
    );
    const horizon = {
      completeThroughMs: 0,
      frontiersMs: [400, 400, 400],
      levelsKeptSinceMs: levels.map(() => keepAll),
      rawKeptSinceMs: keepAll,
    };
    const { plan } = planRead({
      sinceMs: baseMs - 240,
      toMs: baseMs + 600,
      levels,
      horizon,
      duplicates: { windows: duplicates },
    });
    const hour = { sinceMs: baseMs, toMs: baseMs + 360, series };
    expect(plan.duplicates).toEqual({
      except: { levels: [[hour], [hour], [hour]], raw: [] },
      levels: [[{ ...hour, arrivedSinceMs: 320, arrivedToMs: 400 }], [], []],
      raw: [],
      repairs: [{ ...hour, throughMs: 320 }],
    });
  });

  it("has a bounded number of spans, for any windows, while raw readings are kept", () => {
    fc.assert(
      fc.property(world, (drawn) => {
        const { request } = settle({ ...drawn, isExpiring: false });
        const { duplicates } = planRead({ ...request, spansMax: 6 }).plan;
        const spans = duplicates
          ? [
              ...duplicates.except.levels,
              duplicates.except.raw,
              ...duplicates.levels,
              duplicates.raw,
              duplicates.repairs,
            ]
          : [];
        expect(spans.flat().length).toBeLessThanOrEqual(6);
      }),
      { numRuns: 500 },
    );
  });
});
