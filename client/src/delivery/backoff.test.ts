import { describe, expect, it } from "vitest";
import { backoffDelayMs, defaultBackoff } from "./backoff.ts";

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
});
