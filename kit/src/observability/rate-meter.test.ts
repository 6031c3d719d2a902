import { expect, it } from "vitest";
import { createRateMeter } from "./rate-meter.ts";

it("counts the last ten seconds and ignores older ones", () => {
  const rate = createRateMeter();
  rate.add(50, 1_000_000);
  rate.add(30, 1_005_000);
  expect(rate.perSecond(1_010_000)).toBe(3);
  expect(rate.perSecond(1_011_000)).toBe(3);
  expect(rate.perSecond(1_060_000)).toBe(0);
});

it("counts from the first on while it is younger than ten seconds", () => {
  const rate = createRateMeter();
  rate.add(40, 1_000_000);
  rate.add(40, 1_003_000);
  expect(rate.perSecond(1_004_000)).toBe(20);
});

it("starts again when the clock is set back", () => {
  const rate = createRateMeter();
  rate.add(1000, 1_000_000);
  rate.add(5, 900_000);
  expect(rate.perSecond(900_000)).toBe(5);
});
