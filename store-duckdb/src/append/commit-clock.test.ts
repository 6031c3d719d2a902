import fc from "fast-check";
import { expect, it } from "vitest";
import { createArrivalClock } from "./commit-clock.ts";

const still = () => 0;

it("never goes back, whatever the clock does", () => {
  let now = 100.7;
  const arrivals = createArrivalClock(() => now, 50, still);
  expect(arrivals.nowMs()).toBe(100);
  now = 20;
  expect(arrivals.nowMs()).toBe(100);
  arrivals.raise(500);
  expect(arrivals.nowMs()).toBe(500);
  now = 501;
  expect(arrivals.nowMs()).toBe(501);
});

it("starts no earlier than what is stored", () => {
  expect(createArrivalClock(() => 10, 50, still).nowMs()).toBe(50);
});

it("advances with elapsed time after the clock was stepped back by an hour", () => {
  const hourMs = 3_600_000;
  let [now, elapsed] = [10 * hourMs, 5];
  const arrivals = createArrivalClock(
    () => now,
    0,
    () => elapsed,
  );
  expect(arrivals.nowMs()).toBe(10 * hourMs);
  now -= hourMs;
  for (let second = 1; second <= 60; second += 1) {
    now += 1000;
    elapsed += 1000;
    expect(arrivals.nowMs()).toBe(10 * hourMs + second * 1000);
  }
  now += 2 * hourMs;
  expect(arrivals.nowMs()).toBe(now);
});

it("never goes back and never stops, however the clock is stepped", () => {
  const steps = fc.array(
    fc.record({ stepMs: fc.integer({ min: -7_200_000, max: 7_200_000 }), passedMs: fc.nat(5000) }),
  );
  fc.assert(
    fc.property(steps, (all) => {
      let [now, elapsed] = [1_000_000_000, 0];
      const arrivals = createArrivalClock(
        () => now,
        0,
        () => elapsed,
      );
      let before = arrivals.nowMs();
      for (const { stepMs, passedMs } of all) {
        now += stepMs + passedMs;
        elapsed += passedMs;
        const after = arrivals.nowMs();
        // One millisecond for truncation.
        expect(after).toBeGreaterThanOrEqual(before + passedMs - 1);
        expect(after).toBeGreaterThanOrEqual(now);
        before = after;
      }
    }),
  );
});
