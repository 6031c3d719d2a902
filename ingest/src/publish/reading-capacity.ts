/** Room for the readings of all streams that the log has not acknowledged yet. */
export type ReadingCapacity = {
  /** How many readings are in it. */
  readonly taken: number;
  /**
   * Takes room for `count` readings: at once (then nothing is returned), or when those before it have
   * had theirs. Rejects with the signal's reason, having taken nothing, if it aborts first.
   */
  take(count: number, signal: AbortSignal): Promise<void> | undefined;
  /** Gives room back. */
  give(count: number): void;
};

/** Room for at most `max` readings. A count above `max` is let in alone. Each stream waits at most once at a time. */
export function createReadingCapacity(max: number): ReadingCapacity {
  let taken = 0;
  const waiting = new Set<{ readonly count: number; enter(): void }>();

  function fits(count: number): boolean {
    return taken === 0 || taken + count <= max;
  }

  function admit(): void {
    for (const waiter of waiting) {
      // In the order they came, or a large frame would wait for ever behind small ones.
      if (!fits(waiter.count)) return;
      taken += waiter.count;
      waiter.enter();
    }
  }

  return {
    get taken() {
      return taken;
    },
    take(count, signal) {
      if (waiting.size === 0 && fits(count)) {
        taken += count;
        return undefined;
      }
      return new Promise((resolve, reject) => {
        const waiter = {
          count,
          enter() {
            waiting.delete(waiter);
            signal.removeEventListener("abort", leave);
            resolve();
          },
        };
        function leave(): void {
          waiting.delete(waiter);
          reject(signal.reason);
          admit();
        }
        if (signal.aborted) return reject(signal.reason);
        waiting.add(waiter);
        signal.addEventListener("abort", leave, { once: true });
      });
    },
    give(count) {
      taken -= count;
      admit();
    },
  };
}
