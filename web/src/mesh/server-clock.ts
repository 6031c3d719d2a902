/** Estimates the server's clock from the `date` header of its answers, which has whole seconds. */
export type ServerClock = {
  /** Uses an answer: when it was requested and received by the browser's clock, and its date. NaN is ignored. */
  observe(answer: {
    readonly sentMs: number;
    readonly receivedMs: number;
    readonly answeredMs: number;
  }): void;
  /** The server's time at a moment of the browser's clock. */
  nowMs(browserMs: number): number;
};

/** Makes one that assumes equal clocks until an answer contradicts it. */
export function createServerClock(): ServerClock {
  let aheadMs = 0;
  return {
    observe({ sentMs, receivedMs, answeredMs }) {
      if (Number.isNaN(answeredMs)) return;
      // The server's clock read between `answeredMs` and a second later, at some moment between the two of the browser.
      const leastMs = answeredMs - receivedMs;
      const mostMs = answeredMs + 999 - sentMs;
      if (aheadMs < leastMs) aheadMs = leastMs;
      else if (aheadMs > mostMs) aheadMs = mostMs;
    },
    nowMs: (browserMs) => browserMs + aheadMs,
  };
}
