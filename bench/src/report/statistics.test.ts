import { describe, expect, it } from "vitest";
import { percentile, spreadOf } from "./statistics.ts";

describe("spreadOf", () => {
  it("takes the middle of an odd number of figures", () => {
    expect(spreadOf([9, 1, 5])).toEqual({ median: 5, minimum: 1, maximum: 9 });
  });

  it("takes the mean of the two in the middle of an even number", () => {
    expect(spreadOf([4, 1, 2, 9])).toEqual({ median: 3, minimum: 1, maximum: 9 });
  });

  it("rejects an empty list", () => {
    expect(() => spreadOf([])).toThrow(RangeError);
  });
});

describe("percentile", () => {
  const hundred = Array.from({ length: 100 }, (_, index) => 100 - index);

  it("is the value that the given share does not exceed", () => {
    expect(percentile(hundred, 0.5)).toBe(50);
    expect(percentile(hundred, 0.99)).toBe(99);
    expect(percentile(hundred, 1)).toBe(100);
    expect(percentile(hundred, 0)).toBe(1);
    expect(percentile([3, 1, 2], 0.5)).toBe(2);
  });

  it("is the value itself in a list of one", () => {
    expect(percentile([3], 0.99)).toBe(3);
  });
});
