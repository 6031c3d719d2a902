import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { backoffDelayMs, defaultBackoff, longestDelayMs } from "./backoff.ts";

const delay = (attempt: number, random: number, askedMs?: number) =>
  backoffDelayMs({ attempt, askedMs, backoff: defaultBackoff, random: () => random });

describe("backoff", () => {
  it("doubles from 100 ms and stays at 10 s", () => {
    expect([0, 1, 2, 6, 7, 50, 2000].map((attempt) => delay(attempt, 1))).toEqual([
      100, 200, 400, 6400, 10_000, 10_000, 10_000,
    ]);
  });

  it("spreads over the upper half", () => {
    expect(delay(3, 0)).toBe(400);
    expect(delay(3, 0.5)).toBe(600);
  });

  it("waits at least as long as the server requested, with jitter", () => {
    expect(delay(0, 0, 5000)).toBe(5000);
    expect(delay(0, 0.8, 5000)).toBe(6000);
    expect(delay(7, 0, 50)).toBe(5000);
  });

  it("stays within its bounds, doubles up to its limit, and spreads evenly, for any delays and attempts", () => {
    const share = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
    const backoffs = fc
      .tuple(fc.integer({ min: 1, max: 60_000 }), fc.integer({ min: 1, max: 10_000 }))
      .map(([firstMs, factor]) => ({ firstMs, longestMs: firstMs * factor }));
    const requested = fc.option(fc.integer({ min: 0, max: 600_000 }), { nil: undefined });
    fc.assert(
      fc.property(backoffs, fc.nat(10_000), share, requested, (backoff, attempt, random, askedMs) => {
        const longestMs = longestDelayMs(attempt, backoff);
        const next = longestDelayMs(attempt + 1, backoff);
        expect(longestMs).toBeGreaterThanOrEqual(backoff.firstMs);
        expect(next).toBe(Math.min(longestMs * 2, backoff.longestMs));
        const plainMs = backoffDelayMs({ attempt, backoff, random: () => random });
        expect(plainMs).toBeGreaterThanOrEqual(longestMs / 2);
        expect(plainMs).toBeLessThanOrEqual(longestMs);
        expect((plainMs - longestMs / 2) / (longestMs / 2)).toBeCloseTo(random, 6);
        const delayMs = backoffDelayMs({ attempt, askedMs, backoff, random: () => random });
        expect(delayMs).toBeGreaterThanOrEqual(Math.max(plainMs, askedMs ?? 0));
        expect(delayMs).toBeLessThanOrEqual(Math.max(longestMs, (askedMs ?? 0) * 1.25));
      }),
    );
  });
});
