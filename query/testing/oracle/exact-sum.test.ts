import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { exactSum } from "./exact-sum.ts";

/** The sum as a whole number of the smallest part that doubles of this size have, and back, by BigInt. */
function slowSum(values: readonly number[]): number {
  const scale = 2 ** 60;
  // Exact: each value is a multiple of 2^-60 here, and its product with 2^60 a whole number.
  const total = values.reduce((sum, value) => sum + BigInt(value * scale), 0n);
  // Number() of a BigInt rounds correctly.
  return Number(total) / scale;
}

describe("exactSum", () => {
  it("equals the exact sum, rounded once", () => {
    const term = fc
      .tuple(fc.integer({ min: -(2 ** 52), max: 2 ** 52 }), fc.integer({ min: -8, max: 40 }))
      .map(([digits, power]) => (digits / 2 ** 52) * 2 ** power);
    fc.assert(
      fc.property(fc.array(term, { maxLength: 60 }), (values) => {
        expect(exactSum(values)).toBe(slowSum(values) + 0);
      }),
      { numRuns: 500 },
    );
  });

  it("rounds a half to even only if no digits follow it", () => {
    expect(exactSum([1, 2 ** -53])).toBe(1);
    expect(exactSum([1, 2 ** -53, 2 ** -80])).toBe(1 + 2 ** -52);
    expect(exactSum([1 + 2 ** -52, 2 ** -53, -(2 ** -80)])).toBe(1 + 2 ** -52);
  });

  it("is exact if large values cancel each other", () => {
    expect(exactSum([1e16, 0.1, -1e16])).toBe(0.1);
    expect(exactSum([])).toBe(0);
  });
});
