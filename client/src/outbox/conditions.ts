/** Lets callers wait until a condition becomes true. */
export type Conditions = {
  /** Resolves when the condition is true: at once, or at the next check. @throws the signal's reason when it aborts. */
  until(condition: () => boolean, signal?: AbortSignal): Promise<void>;
  /** Checks every waiting condition again, after a change. */
  check(): void;
};

/** Creates a set without waiting callers. */
export function createConditions(): Conditions {
  const waiting = new Set<() => void>();
  return {
    until(condition, signal) {
      return new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason);
        if (condition()) return resolve();
        const abort = () => {
          waiting.delete(ask);
          reject(signal?.reason);
        };
        const ask = () => {
          if (!condition()) return;
          waiting.delete(ask);
          signal?.removeEventListener("abort", abort);
          resolve();
        };
        waiting.add(ask);
        signal?.addEventListener("abort", abort, { once: true });
      });
    },
    check() {
      for (const ask of [...waiting]) ask();
    },
  };
}
