/** The store's clock for `arrived`: whole milliseconds since 1970 that never go back. */
export type ArrivalClock = {
  /** The present moment, never before an earlier answer. */
  nowMs(): number;
  /** From here on, no answer is before `ms`. */
  raise(ms: number): void;
};

/**
 * Makes a clock that follows `clock` but never goes back, and never before `startMs`. Where `clock` is behind, since
 * it was stepped back or was ahead at an earlier start, time passes as `elapsedMs`, which no step disturbs, says: a
 * clock that stood still would close no segment until the other has caught up.
 */
export function createArrivalClock(
  clock: () => number,
  startMs: number,
  elapsedMs: () => number = () => performance.now(),
): ArrivalClock {
  let anchor = { atMs: startMs, elapsedMs: elapsedMs() };
  let latest = startMs;
  return {
    nowMs() {
      const nowMs = clock();
      const passedMs = anchor.atMs + elapsedMs() - anchor.elapsedMs;
      if (nowMs >= passedMs) anchor = { atMs: nowMs, elapsedMs: elapsedMs() };
      latest = Math.max(latest, Math.floor(Math.max(nowMs, passedMs)));
      return latest;
    },
    raise(ms) {
      if (ms > latest) anchor = { atMs: ms, elapsedMs: elapsedMs() };
      latest = Math.max(latest, ms);
    },
  };
}
