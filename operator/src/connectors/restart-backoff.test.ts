import { describe, expect, it } from "vitest";
import { createRestartBackoff } from "./restart-backoff.ts";

const delays = { firstMs: 100, longestMs: 400, calmMs: 1000 };

/** The times, in steps of 50 ms, at which a permanently failing task is restarted. */
function restartsUntil(endMs: number, intervals = createRestartBackoff(delays), startMs = 0): number[] {
  const times: number[] = [];
  for (let nowMs = startMs; nowMs <= endMs; nowMs += 50) if (intervals.due(nowMs, true)) times.push(nowMs);
  return times;
}

describe("restarts", () => {
  it("are immediate at first, then delayed by growing times up to the longest one", () => {
    expect(restartsUntil(2000)).toEqual([0, 100, 300, 700, 1100, 1500, 1900]);
  });

  it("do not happen without a failure", () => {
    const intervals = createRestartBackoff(delays);
    expect([0, 500, 1000].map((nowMs) => intervals.due(nowMs, false))).toEqual([false, false, false]);
    expect(intervals.restarts).toBe(0);
  });

  it("keep their delay if the task soon fails again, and reset it after a time without failures", () => {
    const intervals = createRestartBackoff(delays);
    expect(restartsUntil(700, intervals)).toEqual([0, 100, 300, 700]);
    intervals.due(800, false);
    expect(restartsUntil(1200, intervals, 850)).toEqual([1100]);
    for (let nowMs = 1250; nowMs <= 2300; nowMs += 50) intervals.due(nowMs, false);
    expect(restartsUntil(2500, intervals, 2350)).toEqual([2350, 2450]);
    expect(intervals.restarts).toBe(7);
  });
});
