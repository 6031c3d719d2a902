import { createManualClock } from "@devicemesh/client/testing/manual-clock";
import { describe, expect, it } from "vitest";
import { type Slice, startSchedule } from "./schedule.ts";

function schedule({
  deviceCount,
  intervalMs,
  catchUpMs,
}: {
  deviceCount: number;
  intervalMs: number;
  catchUpMs?: number;
}) {
  const clock = createManualClock(0);
  const slices: Slice[] = [];
  const running = startSchedule({
    clock,
    intervalMs,
    deviceCount,
    simulate: (slice) => slices.push(slice),
    ...(catchUpMs === undefined ? {} : { catchUpMs }),
  });
  return { clock, slices, running };
}

function timesOfDevice(slices: readonly Slice[], index: number): number[] {
  return slices
    .filter(({ first, end }) => first <= index && index < end)
    .map(({ timestampMs }) => timestampMs);
}

describe("schedule", () => {
  it("runs every device exactly once an interval, spread over 20 slices, with one timer", () => {
    const { clock, slices } = schedule({ deviceCount: 1003, intervalMs: 1000 });
    clock.advance(2999);
    expect(clock.timers()).toBe(1);
    expect(slices).toHaveLength(60);
    for (const index of [0, 1, 500, 1002]) {
      const times = timesOfDevice(slices, index);
      expect(times).toHaveLength(3);
      expect(times[1]! - times[0]!).toBe(1000);
    }
    const sizes = slices.map(({ first, end }) => end - first);
    expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
  });

  it("runs one device, and the shortest interval", () => {
    const one = schedule({ deviceCount: 1, intervalMs: 10 });
    one.clock.advance(95);
    expect(timesOfDevice(one.slices, 0)).toEqual([0, 10, 20, 30, 40, 50, 60, 70, 80, 90]);
  });

  it("runs missed slices with their planned times", () => {
    const { clock, slices, running } = schedule({ deviceCount: 1, intervalMs: 1000 });
    clock.advance(500);
    clock.jump(3600);
    clock.advance(0);
    expect(timesOfDevice(slices, 0)).toEqual([0, 1000, 2000, 3000, 4000]);
    expect(running.skippedIntervals()).toBe(0);
  });

  it("catches up one interval at a time, so that other work can run", () => {
    const { clock, slices } = schedule({ deviceCount: 40, intervalMs: 1000 });
    clock.advance(999);
    const before = slices.length;
    clock.jump(4000);
    expect(slices.length - before).toBe(20);
  });

  it("skips intervals beyond its bound, and counts them", () => {
    const { clock, slices, running } = schedule({ deviceCount: 1, intervalMs: 1000, catchUpMs: 3000 });
    clock.advance(500);
    clock.jump(100_000);
    clock.advance(0);
    expect(timesOfDevice(slices, 0)).toEqual([0, 98_000, 99_000, 100_000]);
    expect(running.skippedIntervals()).toBe(97);
  });

  it("follows a clock that is set back", () => {
    const { clock, slices } = schedule({ deviceCount: 1, intervalMs: 1000 });
    clock.advance(1500);
    clock.jump(-1_000_000);
    // The current timer still has its old delay.
    clock.advance(1_000_500);
    const later = slices.length;
    clock.advance(10_000);
    expect(slices.length - later).toBe(10);
  });

  it("runs nothing after it is stopped, and may be stopped twice", () => {
    const { clock, slices, running } = schedule({ deviceCount: 5, intervalMs: 1000 });
    clock.advance(1000);
    running.stop();
    running.stop();
    const before = slices.length;
    clock.advance(10_000);
    expect(slices).toHaveLength(before);
    expect(clock.timers()).toBe(0);
  });
});
