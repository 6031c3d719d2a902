import { expect, it } from "vitest";
import { createRateMeter } from "./rate-meter.ts";

it("counts the last ten seconds and forgets what is older", () => {
  let now = 1_000_000;
  const rate = createRateMeter(() => now);
  rate.add(50);
  now += 5_000;
  rate.add(30);
  expect(rate.perSecond()).toBe(8);
  now += 6_000;
  expect(rate.perSecond()).toBe(3);
  now += 60_000;
  expect(rate.perSecond()).toBe(0);
});
