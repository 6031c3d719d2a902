import { describe, expect, it } from "vitest";
import { boundStaleAfterMs, createRetentionBound } from "./retention-bound.ts";

describe("the retention bound", () => {
  function setUp() {
    const time = { nowMs: 0 };
    return { time, bound: createRetentionBound({ monotonicMs: () => time.nowMs }) };
  }

  it("accepts nothing before it is known", () => {
    const { bound } = setUp();
    expect(bound.isKnown()).toBe(false);
    expect(() => bound.acceptedSinceMs()).toThrow(expect.objectContaining({ code: "UNAVAILABLE" }));
    bound.confirm(Number.NEGATIVE_INFINITY, 0);
    expect(bound.acceptedSinceMs()).toBe(Number.NEGATIVE_INFINITY);
  });

  it("never goes back, whatever is read later", () => {
    const { bound } = setUp();
    for (const ms of [1000, 3000, 2000, Number.NEGATIVE_INFINITY]) bound.confirm(ms, 0);
    expect(bound.acceptedSinceMs()).toBe(3000);
  });

  it("is not used without a recent confirmation, until it is confirmed again", () => {
    const { time, bound } = setUp();
    bound.confirm(1000, 0);
    time.nowMs = boundStaleAfterMs;
    expect(bound.acceptedSinceMs()).toBe(1000);
    time.nowMs += 1;
    expect(() => bound.acceptedSinceMs()).toThrow(expect.objectContaining({ code: "UNAVAILABLE" }));
    bound.confirm(1000, time.nowMs);
    expect(bound.acceptedSinceMs()).toBe(1000);
  });
});
