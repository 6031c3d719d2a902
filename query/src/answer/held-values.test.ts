import fc from "fast-check";
import { expect, it } from "vitest";
import { createHeldSum, createHeldValues } from "./held-values.ts";

/** Returns the averages of spans of [since, to) over readings of series, in the order of time. */
function averagesOf(
  readings: readonly (readonly [series: string, timestampMs: number, value: number])[],
  spans: readonly (readonly [number, number])[],
  maxHoldMs: number,
) {
  const rows = spans.map(([sinceMs, toMs]) => ({ sinceMs, toMs, sum: createHeldSum() }));
  const held = createHeldValues(maxHoldMs);
  for (const [series, timestampMs, value] of readings) held.add(series, { timestampMs, value }, rows);
  for (const _ of held.end());
  return rows.map(({ sum }) => sum.result());
}

it("values hold until the next reading of their series, at most for the longest time, and until the span ends", () => {
  const readings = [
    ["a", 0, 10],
    ["b", 20, 100],
    ["a", 30, 20],
    ["a", 1000, 30],
  ] as const;
  // a: 10 for 30 ms, 20 for 100 ms, 30 for 1 ms; b: 100 for 100 ms.
  expect(averagesOf(readings, [[0, 1001]], 100)).toEqual([
    { average: (10 * 30 + 20 * 100 + 30 + 100 * 100) / 231, coveredMs: 231 },
  ]);
  expect(averagesOf(readings, [[0, 1001]], 5000)).toEqual([
    { average: (10 * 30 + 20 * 970 + 30 + 100 * 981) / 1982, coveredMs: 1982 },
  ]);
});

it("values hold into spans without readings, and a span in which none holds has no average", () => {
  const spans = [
    [0, 10],
    [10, 20],
    [20, 30],
    [30, 40],
    [40, 50],
  ] as const;
  expect(
    averagesOf(
      [
        ["a", 12, 1],
        ["a", 41, 5],
      ],
      spans,
      20,
    ),
  ).toEqual([
    undefined,
    { average: 1, coveredMs: 8 },
    { average: 1, coveredMs: 10 },
    { average: 1, coveredMs: 2 },
    { average: 5, coveredMs: 9 },
  ]);
});

it("a single reading is weighted by its whole hold; one at the end of a span, or held only up to its start, has no weight", () => {
  expect(averagesOf([["a", 5, 7]], [[0, 100]], 20)).toEqual([{ average: 7, coveredMs: 20 }]);
  expect(averagesOf([["a", 100, 7]], [[0, 100]], 20)).toEqual([undefined]);
  expect(averagesOf([["a", -20, 7]], [[0, 100]], 20)).toEqual([undefined]);
  expect(averagesOf([], [[0, 100]], 20)).toEqual([undefined]);
});

it("the averages of parts combine to that of the whole, for any readings and any cut", () => {
  const readings = fc.uniqueArray(
    fc.tuple(
      fc.constantFrom("a", "b", "c"),
      fc.integer({ min: -100, max: 1000 }),
      fc.double({ min: -1e6, max: 1e6, noNaN: true }),
    ),
    { selector: ([series, timestampMs]) => `${series} ${timestampMs}`, maxLength: 60 },
  );
  fc.assert(
    fc.property(
      readings,
      fc.uniqueArray(fc.integer({ min: 1, max: 999 }), { maxLength: 8 }),
      fc.integer({ min: 1, max: 1500 }),
      (found, cuts, maxHoldMs) => {
        const sorted = found.toSorted((a, b) => a[1] - b[1]);
        const borders = [0, ...cuts.toSorted((a, b) => a - b), 1000];
        const spans = borders.slice(1).map((to, place) => [borders[place] as number, to] as const);
        const [whole] = averagesOf(sorted, [[0, 1000]], maxHoldMs);
        const parts = averagesOf(sorted, spans, maxHoldMs).flatMap((part) => part ?? []);
        const coveredMs = parts.reduce((sum, part) => sum + part.coveredMs, 0);
        expect(coveredMs).toBe(whole?.coveredMs ?? 0);
        if (!whole) return;
        const average = parts.reduce((sum, part) => sum + part.average * part.coveredMs, 0) / coveredMs;
        expect(Math.abs(average - whole.average)).toBeLessThan(1e-6);
      },
    ),
  );
});

it("an average is within the values, whatever the rounding", () => {
  fc.assert(
    fc.property(
      fc.double({ min: -1e9, max: 1e9, noNaN: true }),
      fc.integer({ min: 1, max: 1e9 }),
      (value, ms) => {
        expect(averagesOf([["a", 0, value]], [[0, ms]], 1e10)).toEqual([{ average: value, coveredMs: ms }]);
      },
    ),
  );
});
