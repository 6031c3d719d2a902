import fc from "fast-check";
import { expect, it } from "vitest";
import { type FoldedWindow, foldParts } from "./fold-parts.ts";

const windowMs = 600_000;

const folds = fc
  .array(
    fc.record({ gap: fc.nat(3), rows: fc.integer({ min: 1, max: 50 }), first: fc.nat(20), more: fc.nat(30) }),
  )
  .map((all) => {
    let place = 0;
    return all.map(({ gap, rows, first, more }): FoldedWindow => {
      place += gap + 1;
      return { startMs: place * windowMs, rows, firstSeries: first, lastSeries: first + more };
    });
  });

it("every series of every window is in exactly one part of a fold", () => {
  fc.assert(
    fc.property(folds, fc.integer({ min: 1, max: 60 }), (windows, rowsMax) => {
      const parts = foldParts(windows, windowMs, rowsMax);
      for (const { startMs, firstSeries, lastSeries } of windows) {
        for (let series = firstSeries; series <= lastSeries; series++) {
          const holding = parts.filter(
            (part) =>
              part.sinceMs <= startMs &&
              part.toMs > startMs &&
              part.firstSeries <= series &&
              part.endSeries > series,
          );
          expect(holding).toHaveLength(1);
        }
      }
    }),
  );
});

it("a part of several windows has at most the maximum of rows, and a window has as many parts as its rows need", () => {
  fc.assert(
    fc.property(folds, fc.integer({ min: 1, max: 60 }), (windows, rowsMax) => {
      for (const { sinceMs, toMs } of foldParts(windows, windowMs, rowsMax)) {
        const inside = windows.filter(({ startMs }) => startMs >= sinceMs && startMs < toMs);
        const rows = inside.reduce((sum, window) => sum + window.rows, 0);
        if (inside.length > 1) expect(rows).toBeLessThanOrEqual(rowsMax);
      }
    }),
  );
  const large = { startMs: 0, rows: 1000, firstSeries: 0, lastSeries: 99 };
  expect(foldParts([large], windowMs, 100)).toHaveLength(10);
  expect(foldParts([], windowMs)).toEqual([]);
});
