import { describe, expect, it } from "vitest";
import { createRestartPace } from "./restart-backoff.ts";

const pacing = { firstMs: 100, longestMs: 400, calmMs: 1000 };

/** At which of the times, one in 50 ms, something that fails all the time is restarted. */
function restartsUntil(endMs: number, pace = createRestartPace(pacing), startMs = 0): number[] {
  const times: number[] = [];
  for (let nowMs = startMs; nowMs <= endMs; nowMs += 50) if (pace.due(nowMs, true)) times.push(nowMs);
  return times;
}

describe("restarts", () => {
  it("come at once, then ever more rarely, but never more rarely than the longest wait", () => {
    expect(restartsUntil(2000)).toEqual([0, 100, 300, 700, 1100, 1500, 1900]);
  });

  it("do not come while nothing failed", () => {
    const pace = createRestartPace(pacing);
    expect([0, 500, 1000].map((nowMs) => pace.due(nowMs, false))).toEqual([false, false, false]);
    expect(pace.restarts).toBe(0);
  });

  it("keep their pace when it fails again soon, and begin anew after a calm time", () => {
    const pace = createRestartPace(pacing);
    expect(restartsUntil(700, pace)).toEqual([0, 100, 300, 700]);
    pace.due(800, false);
    expect(restartsUntil(1200, pace, 850)).toEqual([1100]);
    for (let nowMs = 1250; nowMs <= 2300; nowMs += 50) pace.due(nowMs, false);
    expect(restartsUntil(2500, pace, 2350)).toEqual([2350, 2450]);
    expect(pace.restarts).toBe(7);
  });
});
