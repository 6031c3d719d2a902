import type { Clock } from "../src/clock.ts";

/** A clock for tests that moves only on request. */
export type ManualClock = Clock & {
  /** Moves on by this time; timers fire in order, at their times. */
  advance(ms: number): void;
  /** Moves on like `advance`, and lets code that waits for a timer run before the next one fires. */
  advanceAsync(ms: number): Promise<void>;
  /** Jumps, like a suspended process or a clock that is set: due timers fire once, late. */
  jump(ms: number): void;
  /** Number of waiting timers. */
  timers(): number;
};

/** Creates a clock that shows that time. */
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
