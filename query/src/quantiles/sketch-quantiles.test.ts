import fc from "fast-check";
import { expect, it } from "vitest";
import { quantilesOf } from "./quantiles.ts";
import { type Sketch, sketchQuantiles } from "./sketch-quantiles.ts";
import { sketchRelativeError, valueBucket, zeroBelow } from "./value-buckets.ts";

function sketchOf(values: readonly number[]): Sketch {
  const sketch = new Map<number, number>();
  for (const value of values) sketch.set(valueBucket(value), (sketch.get(valueBucket(value)) ?? 0) + 1);
  return sketch;
}

function merged(sketches: readonly Sketch[]): Sketch {
  const sum = new Map<number, number>();
  for (const sketch of sketches) {
    for (const [bucket, count] of sketch) sum.set(bucket, (sum.get(bucket) ?? 0) + count);
  }
  return sum;
}

const endsOf = (values: readonly number[]) => ({
  minimum: values.reduce((low, value) => Math.min(low, value)),
  maximum: values.reduce((high, value) => Math.max(high, value)),
});

/** Values that are close, equal, negative, 0, subnormal or huge; below half of the largest number, as sums are. */
const streams = fc.array(
  fc.oneof(
    fc.double({ min: 15, max: 25, noNaN: true }),
    fc.constantFrom(0, -0, 1, -1, 1013.25, Number.MIN_VALUE, -Number.MIN_VALUE, zeroBelow),
    fc.double({ min: -1e6, max: 1e6, noNaN: true }),
    fc.double({ min: -1e300, max: 1e300, noNaN: true }),
  ),
  { minLength: 1, maxLength: 300 },
);
const shares = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 6 });

it("a quantile is never further from the exact one than its stated error, and exact at the ends", async () => {
  await fc.assert(
    fc.asyncProperty(streams, shares, async (values, some) => {
      const quantiles = [0, ...some, 0.5, 0.99, 1];
      const sorted = values.toSorted((a, b) => a - b);
      const exact = await quantilesOf(Float64Array.from(values), quantiles);
      const found = sketchQuantiles(sketchOf(values), endsOf(values), quantiles);
      expect(found.map(({ quantile }) => quantile)).toEqual(quantiles);
      for (const [place, { quantile, value, relativeError }] of found.entries()) {
        const rank = quantile * (values.length - 1);
        const neighbours = [sorted[Math.floor(rank)], sorted[Math.ceil(rank)]] as [number, number];
        const scale = Math.max(...neighbours.map(Math.abs));
        const rounding = scale * 1e-13;
        const wanted = exact[place]?.value as number;
        expect(Math.abs(value - wanted)).toBeLessThanOrEqual(relativeError * scale + rounding + zeroBelow);
        expect(relativeError === 0 || relativeError === sketchRelativeError).toBe(true);
        if (quantile === 0 || quantile === 1) expect([value, relativeError]).toEqual([wanted, 0]);
      }
    }),
  );
});

it("the sketch is the same for any order and any partition of the values", () => {
  fc.assert(
    fc.property(
      streams.chain((values) =>
        fc.tuple(
          fc.constant(values),
          fc.shuffledSubarray(values, { minLength: values.length }),
          fc.array(fc.nat(4), { minLength: values.length, maxLength: values.length }),
        ),
      ),
      ([values, shuffled, parts]) => {
        const partition = [0, 1, 2, 3, 4].map((part) => shuffled.filter((_, place) => parts[place] === part));
        const sum = merged(partition.map(sketchOf));
        expect(new Map([...sum].sort())).toEqual(new Map([...sketchOf(values)].sort()));
      },
    ),
  );
});

it("quantiles are exact for equal values and for two values, and there are none without values", () => {
  const of = (values: readonly number[], quantiles: readonly number[]) =>
    sketchQuantiles(sketchOf(values), endsOf(values), quantiles);
  expect(of([7.3, 7.3, 7.3, 7.3], [0.4])).toEqual([{ quantile: 0.4, value: 7.3, relativeError: 0 }]);
  expect(of([10, 20], [0.5])).toEqual([{ quantile: 0.5, value: 15, relativeError: 0 }]);
  expect(sketchQuantiles(new Map(), { minimum: 0, maximum: 0 }, [0.5])).toEqual([]);
});
