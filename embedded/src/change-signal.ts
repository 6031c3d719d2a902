/** Tells any number of watchers that something changed; changes that nobody has taken yet are one. */
export type ChangeSignal = {
  notify(): void;
  /** Yields after each change, many as one for a slow watcher; ends with the signal or with close. */
  watch(signal: AbortSignal): AsyncGenerator<void, void, void>;
  close(): void;
};

/** Makes a signal. It keeps one flag for a watcher, however much changes. */
export function createChangeSignal(): ChangeSignal {
  const wakers = new Set<() => void>();
  let closed = false;

  function watch(signal: AbortSignal): AsyncGenerator<void, void, void> {
    let changed = false;
    let wake: (() => void) | undefined;
    const waker = () => {
      changed = true;
      wake?.();
    };
    const forget = () => {
      wakers.delete(waker);
      waker();
    };
    // From the call on, not from the first turn of the loop: a change in between must not be missed.
    wakers.add(waker);
    signal.addEventListener("abort", forget, { once: true });

    async function* changes(): AsyncGenerator<void, void, void> {
      try {
        while (!signal.aborted && !closed) {
          if (changed) {
            changed = false;
            yield;
          } else {
            await new Promise<void>((resolve) => {
              wake = resolve;
            });
          }
        }
      } finally {
        signal.removeEventListener("abort", forget);
        wakers.delete(waker);
      }
    }
    return changes();
  }

  function notify(): void {
    for (const wake of wakers) wake();
  }

  return {
    notify,
    watch,
    close() {
      closed = true;
      notify();
    },
  };
}
