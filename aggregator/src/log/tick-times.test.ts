import fc from "fast-check";
import { expect, it } from "vitest";
import { nextTickDelayMs, tickLeadMs } from "./tick-times.ts";

it("ticks come directly after whole intervals of the log's clock, and within their lead before segments end", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1_763_900_000_000, max: 1_763_900_100_000 }),
      fc.integer({ min: -5000, max: 5000 }),
      fc.integer({ min: 0, max: 60_000 }),
      (nowMs, logAheadMs, clockSkewMs) => {
        const delayMs = nextTickDelayMs({
          nowMs,
          logAheadMs,
          clockSkewMs,
          intervalMs: 1000,
          segmentMs: 10_000,
        });
        expect(delayMs).toBeGreaterThan(0);
        expect(delayMs).toBeLessThanOrEqual(1000);
        const logMs = nowMs + delayMs + logAheadMs - clockSkewMs;
        const untilEndMs = 10_000 - (logMs % 10_000);
        if (untilEndMs <= tickLeadMs) expect(untilEndMs).toBe(60);
        else expect(logMs % 1000).toBe(2);
      },
    ),
  );
});

it("both rounds come around the end of each segment", () => {
  const times: number[] = [];
  for (let nowMs = 1_763_900_000_000; nowMs < 1_763_900_020_000; ) {
    nowMs += nextTickDelayMs({ nowMs, logAheadMs: 0, clockSkewMs: 0, intervalMs: 1000, segmentMs: 10_000 });
    times.push(nowMs - 1_763_900_000_000);
  }
  expect(times).toEqual(expect.arrayContaining([2, 1002, 9940, 10_002, 19_940, 20_002]));
  expect(times).toHaveLength(23);
});
