import fc from "fast-check";
import { expect, it } from "vitest";
import { bucketMiddle, sketchRelativeError, valueBucket, zeroBelow } from "./value-buckets.ts";

/** Any finite double, and those at the ends of buckets and of the range. */
const values = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.double({ min: -1000, max: 1000, noNaN: true }),
  fc.tuple(fc.integer({ min: -1074, max: 1023 }), fc.constantFrom(-1, 1)).map(([e, sign]) => sign * 2 ** e),
  fc.constantFrom(0, -0, zeroBelow, -zeroBelow, Number.MIN_VALUE, Number.MAX_VALUE, -Number.MAX_VALUE),
);

it("the middle of a bucket is within the stated error of its values, and 0 for values that are too small", () => {
  fc.assert(
    fc.property(values, (value) => {
      const middle = bucketMiddle(valueBucket(value));
      if (Math.abs(value) < zeroBelow) expect(middle).toBe(0);
      else expect(Math.abs(middle / value - 1)).toBeLessThanOrEqual(sketchRelativeError);
    }),
  );
});

it("buckets keep the order of values, and the middle of a bucket lies in it", () => {
  fc.assert(
    fc.property(values, values, (a, b) => {
      const [low, high] = a <= b ? [a, b] : [b, a];
      expect(valueBucket(low)).toBeLessThanOrEqual(valueBucket(high));
      expect(valueBucket(bucketMiddle(valueBucket(a)))).toBe(valueBucket(a));
    }),
  );
});

it("the bucket of a negated value has the negated number", () => {
  fc.assert(
    fc.property(values, (value) => {
      expect(valueBucket(-value) + valueBucket(value)).toBe(0);
    }),
  );
});

it("each power of two is divided into 256 buckets", () => {
  expect(valueBucket(2) - valueBucket(1)).toBe(256);
  expect(valueBucket(20) - valueBucket(20 - 16 / 256)).toBe(1);
  expect(valueBucket(zeroBelow)).toBe(1);
  expect(valueBucket(-0)).toBe(0);
});
