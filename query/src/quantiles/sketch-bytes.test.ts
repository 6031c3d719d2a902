import fc from "fast-check";
import { expect, it } from "vitest";
import { addSketchBytes, countOfSketches, sketchBytes } from "./sketch-bytes.ts";
import type { Sketch } from "./sketch-quantiles.ts";
import { valueBucket } from "./value-buckets.ts";

const sketches = fc
  .array(
    fc.tuple(
      fc.oneof(
        fc.double({ noNaN: true, noDefaultInfinity: true }),
        fc.double({ min: -50, max: 50, noNaN: true }),
        fc.constantFrom(0, Number.MAX_VALUE, -Number.MAX_VALUE, Number.MIN_VALUE),
      ),
      fc.oneof(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 1, max: 86_400_000 })),
    ),
    { minLength: 1, maxLength: 60 },
  )
  .map((values): Sketch => new Map(values.map(([value, count]) => [valueBucket(value), count])));

const countOf = (sketch: Sketch) => [...sketch.values()].reduce((sum, count) => sum + count, 0);

it("has every count again, in sums of any sketches", () => {
  fc.assert(
    fc.property(fc.array(sketches, { maxLength: 5 }), (all) => {
      const bytes = all.map(sketchBytes);
      const [sum, wanted] = [new Map<number, number>(), new Map<number, number>()];
      for (const each of bytes) addSketchBytes(sum, each);
      for (const [bucket, count] of all.flatMap((sketch) => [...sketch])) {
        wanted.set(bucket, (wanted.get(bucket) ?? 0) + count);
      }
      expect(sum).toEqual(wanted);
      expect(countOfSketches(bytes)).toBe(all.reduce((count, sketch) => count + countOf(sketch), 0));
    }),
  );
});

it("is the same for any order of the buckets, and short", () => {
  const buckets = Array.from({ length: 60 }, (_, place): [number, number] => [
    valueBucket(20 + place / 8),
    9,
  ]);
  const bytes = sketchBytes(new Map(buckets));
  expect(sketchBytes(new Map(buckets.toReversed()))).toEqual(bytes);
  expect(bytes.length).toBeLessThan(130);
});

it("has no count if it is of another version, and is rejected if it is cut", () => {
  const bytes = sketchBytes(new Map([[7, 3]]));
  expect(countOfSketches([bytes, bytes.with(0, 9)])).toBeUndefined();
  expect(() => addSketchBytes(new Map(), bytes.subarray(0, bytes.length - 1))).toThrow(RangeError);
});
