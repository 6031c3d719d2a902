import { expect, it } from "vitest";
import { createArrivalClock } from "./arrival-clock.ts";

it("never goes back, whatever the clock does", () => {
  let now = 100.7;
  const arrivals = createArrivalClock(() => now, 50);
  expect(arrivals.nowMs()).toBe(100);
  now = 20;
  expect(arrivals.nowMs()).toBe(100);
  arrivals.raise(500);
  expect(arrivals.nowMs()).toBe(500);
  now = 501;
  expect(arrivals.nowMs()).toBe(501);
});

it("starts no earlier than what is stored", () => {
  expect(createArrivalClock(() => 10, 50).nowMs()).toBe(50);
});
