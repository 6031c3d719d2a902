/** The clock of the device side; a test passes its own and does not have to wait. */
export type Clock = {
  /** Milliseconds since 1970. May jump when the machine's clock is set. */
  nowMs(): number;
  /**
   * Calls back once after the delay. Returns a function that cancels it; cancelling twice or too late has no effect.
   */
  setTimer(delayMs: number, callback: () => void): () => void;
};

/** The machine's clock. */
export const systemClock: Clock = {
  nowMs: () => Date.now(),
  setTimer(delayMs, callback) {
    const timer = setTimeout(callback, Math.min(Math.max(delayMs, 0), timerDelayMaxMs));
    return () => clearTimeout(timer);
  },
};

/** Resolves after the delay, or as soon as the signal aborts; never rejects. */
export function wait({
  clock,
  delayMs,
  signal,
}: {
  clock: Clock;
  delayMs: number;
  signal: AbortSignal;
}): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const finish = () => {
      cancel();
      signal.removeEventListener("abort", finish);
      resolve();
    };
    const cancel = clock.setTimer(delayMs, finish);
    signal.addEventListener("abort", finish);
  });
}

// Node fires a timer at once if its delay does not fit into 31 bits.
const timerDelayMaxMs = 2 ** 31 - 1;
