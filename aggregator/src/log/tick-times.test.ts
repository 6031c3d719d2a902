import fc from "fast-check";
import { expect, it } from "vitest";
import { nextTickDelayMs } from "./tick-times.ts";

it("ticks come directly after the ends of segments by the log's clock, and once an interval", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1_763_900_000_000, max: 1_763_900_100_000 }),
      fc.integer({ min: -5000, max: 5000 }),
      fc.integer({ min: 0, max: 60_000 }),
      (nowMs, logAheadMs, clockSkewMs) => {
        const delayMs = nextTickDelayMs({ nowMs, logAheadMs, clockSkewMs, intervalMs: 1000 });
        expect(delayMs).toBeGreaterThan(0);
        expect(delayMs).toBeLessThanOrEqual(1000);
        const afterMs = (nowMs + delayMs + logAheadMs - clockSkewMs) % 1000;
        expect(afterMs).toBe(2);
      },
    ),
  );
});
