import fc from "fast-check";
import { expect, it } from "vitest";
import { quantilesOf } from "./quantiles.ts";

it("quantiles lie between the neighbouring ranks of the sorted values, for any number of values", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 300 }),
      fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 5 }),
      async (values, quantiles) => {
        const sorted = values.toSorted((a, b) => a - b);
        const found = await quantilesOf(Float64Array.from(values), quantiles);
        expect(found.map(({ quantile }) => quantile)).toEqual(quantiles);
        for (const { quantile, value } of found) {
          const atMost = sorted.filter((each) => each <= value).length;
          const atLeast = sorted.filter((each) => each >= value).length;
          const rank = quantile * (sorted.length - 1);
          expect(atMost).toBeGreaterThanOrEqual(Math.floor(rank) + 1);
          expect(atLeast).toBeGreaterThanOrEqual(sorted.length - Math.ceil(rank));
        }
      },
    ),
  );
});

it("quantiles of known sequences are correct: the ends, the median, and between", async () => {
  const values = Float64Array.from([40, 10, 30, 20]);
  expect(await quantilesOf(values, [0, 0.5, 0.9, 1])).toEqual([
    { quantile: 0, value: 10, relativeError: 0 },
    { quantile: 0.5, value: 25, relativeError: 0 },
    { quantile: 0.9, value: 37, relativeError: 0 },
    { quantile: 1, value: 40, relativeError: 0 },
  ]);
  expect(await quantilesOf(Float64Array.from([7]), [0.3])).toEqual([
    { quantile: 0.3, value: 7, relativeError: 0 },
  ]);
});

it("quantiles are exact if values are sorted in several parts", async () => {
  const values = Float64Array.from({ length: 200_003 }, (_, place) => (place * 7919) % 200_003);
  expect(await quantilesOf(values, [0, 0.25, 0.5, 1])).toEqual([
    { quantile: 0, value: 0, relativeError: 0 },
    { quantile: 0.25, value: 50_000.5, relativeError: 0 },
    { quantile: 0.5, value: 100_001, relativeError: 0 },
    { quantile: 1, value: 200_002, relativeError: 0 },
  ]);
});
