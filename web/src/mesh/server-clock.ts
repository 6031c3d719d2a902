/** Estimates the server's clock from the `date` header of its responses, which has whole seconds. */
export type ServerClock = {
  /** Uses a response: when it was requested and received by the browser's clock, and its date. Ignores NaN. */
  observe(answer: {
    readonly sentMs: number;
    readonly receivedMs: number;
    readonly answeredMs: number;
  }): void;
  /** Returns the server's time at a time of the browser's clock. */
  nowMs(browserMs: number): number;
};

/** Creates an estimate that assumes equal clocks until a response contradicts it. */
export function createServerClock(): ServerClock {
  let aheadMs = 0;
  return {
    observe({ sentMs, receivedMs, answeredMs }) {
      if (Number.isNaN(answeredMs)) return;
      // The server's clock was between `answeredMs` and a second later, at a time between the browser's two.
      const leastMs = answeredMs - receivedMs;
      const greatestMs = answeredMs + 999 - sentMs;
      if (aheadMs < leastMs) aheadMs = leastMs;
      else if (aheadMs > greatestMs) aheadMs = greatestMs;
    },
    nowMs: (browserMs) => browserMs + aheadMs,
  };
}
