import type { Clock } from "../src/clock.ts";

/** A clock for tests that goes only when it is told to. */
export type ManualClock = Clock & {
  /** Goes on by so much; timers fire in their order, at their times. */
  advance(ms: number): void;
  /** Goes on as `advance` does, and lets what waits for a timer run before the next one fires. */
  advanceAsync(ms: number): Promise<void>;
  /** Jumps, as if the process had stood still or the clock had been set: timers that are due fire once, late. */
  jump(ms: number): void;
  /** Timers that wait. */
  timers(): number;
};

/** A clock that stands at that time. */
export function createManualClock(startMs = Date.UTC(2026, 10, 23, 20)): ManualClock {
  const timers = new Set<{ dueMs: number; callback: () => void }>();
  let nowMs = startMs;

  function fireNext(untilMs: number): boolean {
    const [next] = [...timers].sort((a, b) => a.dueMs - b.dueMs);
    if (next === undefined || next.dueMs > untilMs) return false;
    timers.delete(next);
    nowMs = Math.max(nowMs, next.dueMs);
    next.callback();
    return true;
  }

  return {
    nowMs: () => nowMs,
    setTimer(delayMs, callback) {
      const timer = { dueMs: nowMs + Math.max(0, delayMs), callback };
      timers.add(timer);
      return () => timers.delete(timer);
    },
    advance(ms) {
      const untilMs = nowMs + ms;
      while (fireNext(untilMs));
      nowMs = untilMs;
    },
    async advanceAsync(ms) {
      const untilMs = nowMs + ms;
      for (let fired = true; fired; ) {
        await new Promise((resolve) => setImmediate(resolve));
        fired = fireNext(untilMs);
      }
      nowMs = untilMs;
    },
    jump(ms) {
      nowMs += ms;
      const due = [...timers].filter((timer) => timer.dueMs <= nowMs);
      for (const timer of due) timers.delete(timer);
      for (const timer of due) timer.callback();
    },
    timers: () => timers.size,
  };
}
