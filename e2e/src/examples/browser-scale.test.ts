import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { timeTicks, valueTicks } from "../../../examples/browser/src/scale.ts";

describe("the axes of the page", () => {
  it("have a few round values around all data", () => {
    expect(valueTicks(19.25, 24.3, 5)).toEqual([18, 20, 22, 24, 26]);
    expect(valueTicks(20, 20, 5)).toEqual([19, 19.5, 20, 20.5, 21]);
    const value = fc.double({ min: -1e6, max: 1e6, noNaN: true });
    fc.assert(
      fc.property(value, fc.double({ min: 1e-3, max: 1e6, noNaN: true }), (minimum, range) => {
        const ticks = valueTicks(minimum, minimum + range, 5);
        expect(ticks[0]).toBeLessThanOrEqual(minimum + 1e-9);
        expect(ticks.at(-1)).toBeGreaterThanOrEqual(minimum + range - 1e-9);
        expect(ticks.length).toBeGreaterThanOrEqual(2);
        expect(ticks.length).toBeLessThanOrEqual(6);
      }),
    );
  });

  it("have round times inside the span, and no more than fit", () => {
    expect(timeTicks(5_000, 65_000, 6)).toEqual({
      stepMs: 10_000,
      ticks: [10_000, 20_000, 30_000, 40_000, 50_000, 60_000],
    });
    const span = fc.integer({ min: 600_000, max: 60 * 86_400_000 });
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 2e12 }),
        span,
        fc.integer({ min: 2, max: 10 }),
        (since, ms, count) => {
          const { stepMs, ticks } = timeTicks(since, since + ms, count);
          expect(ticks.length).toBeLessThanOrEqual(count + 1);
          expect(ticks.every((tick) => tick >= since && tick <= since + ms && tick % stepMs === 0)).toBe(
            true,
          );
        },
      ),
    );
  });
});
