import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  isIn,
  names,
  placesOf,
  readingsAround,
  settle,
  world,
} from "../../testing/planner-duplicates-fixture.ts";
import { duplicateWindowsNeeded, planRead } from "./planner.ts";

describe("planRead with bounded knowledge of duplicates", () => {
  it("needs no knowledge of windows that pure levels have folded", () => {
    fc.assert(
      fc.property(world, (drawn) => {
        const { request, windows } = settle({
          ...drawn,
          pureSince: 0,
          spansMax: undefined,
          seriesMax: undefined,
        });
        const needed = duplicateWindowsNeeded(request);
        // In one order, so that a plan names the series in one order.
        const all = windows.toSorted((a, b) => (a.deviceId < b.deviceId ? -1 : 1));
        const known = all.filter((window) =>
          needed.some(
            ({ relevant, ...span }) =>
              isIn(window.windowMs)(span) &&
              (!relevant ||
                window.lastDuplicateMs >= relevant.sinceMs ||
                window.firstDuplicateMs < relevant.beforeMs),
          ),
        );
        expect(planRead({ ...request, duplicates: { windows: known } })).toEqual(
          planRead({ ...request, duplicates: { windows: all } }),
        );
      }),
      { numRuns: 500 },
    );
  });

  it("is equally exact if one span represents all windows of a series, or of all series", () => {
    fc.assert(
      fc.property(world, fc.boolean(), (drawn, isEverySeries) => {
        const { request, windows, frontiersMs } = settle({ ...drawn, isExpiring: false });
        fc.pre(windows.length > 0);
        const extent = {
          sinceMs: Math.min(...windows.map(({ windowMs }) => windowMs)),
          toMs: Math.max(...windows.map(({ windowMs }) => windowMs)) + 10,
          firstDuplicateMs: Math.min(...windows.map(({ firstDuplicateMs }) => firstDuplicateMs)),
          lastDuplicateMs: Math.max(...windows.map(({ lastDuplicateMs }) => lastDuplicateMs)),
        };
        const named = new Set(windows.map(({ deviceId }) => deviceId));
        const { sinceMs: windowMs, ...rest } = extent;
        const duplicates = isEverySeries
          ? { windows: [], everySeries: extent }
          : {
              windows: names
                .filter(({ deviceId }) => named.has(deviceId))
                .map((name) => ({ ...name, windowMs, ...rest })),
            };
        const planned = planRead({ ...request, duplicates });
        expect(planned.notCovered).toEqual([]);
        // One expectation for all: an expectation costs more than the check of a reading.
        const wrong: unknown[] = [];
        for (const reading of readingsAround(request.sinceMs, request.toMs)) {
          const isAsked = reading.timestampMs >= request.sinceMs && reading.timestampMs < request.toMs;
          const places = placesOf(planned, frontiersMs, windows, reading);
          if (places.length !== Number(isAsked)) wrong.push({ ...reading, isAsked, places });
        }
        expect(wrong).toEqual([]);
        for (const { firstDuplicateMs, lastDuplicateMs, deviceId, sensor, windowMs: at } of windows) {
          for (const arrivedMs of [firstDuplicateMs, lastDuplicateMs]) {
            const copy = { deviceId, sensor, timestampMs: at + 1, arrivedMs };
            const isPure =
              extent.firstDuplicateMs >= (request.horizon.coarsePureSinceMs ?? Number.POSITIVE_INFINITY);
            const places = placesOf(planned, frontiersMs, windows, copy);
            expect(places.filter((place) => place.startsWith(isPure ? "level 0" : "level"))).toEqual([]);
          }
        }
      }),
      { numRuns: 60 },
    );
  });
});
