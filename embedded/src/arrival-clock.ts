/** The store's clock for `arrived`: whole milliseconds since 1970 that never go back. */
export type ArrivalClock = {
  /** The present moment, never before an earlier answer. */
  nowMs(): number;
  /** From here on, no answer is before `ms`. */
  raise(ms: number): void;
};

/** Makes a clock that follows `clock` but never goes back, and never before `startMs`. */
export function createArrivalClock(clock: () => number, startMs: number): ArrivalClock {
  let latest = startMs;
  return {
    nowMs() {
      latest = Math.max(latest, Math.floor(clock()));
      return latest;
    },
    raise(ms) {
      latest = Math.max(latest, ms);
    },
  };
}
