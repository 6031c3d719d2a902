/** Notifies watchers of changes; a slow watcher is notified once for many changes. */
export type ChangeSignal = {
  notify(): void;
  /** Yields for each change since its last yield; ends when the signal aborts or at `close`. */
  watch(signal: AbortSignal): AsyncIterable<void>;
  close(): void;
};

/** Creates a signal for changes. It holds at most one pending notification for each watcher, and no queue. */
export function createChangeSignal(): ChangeSignal {
  let changes = 0;
  let closed = false;
  let next = Promise.withResolvers<void>();

  function wakeAll(): void {
    const woken = next;
    next = Promise.withResolvers<void>();
    woken.resolve();
  }

  return {
    notify() {
      changes++;
      wakeAll();
    },
    watch(signal) {
      // Counts from the call on, not from the first request for a yield.
      let seen = changes;
      return {
        async *[Symbol.asyncIterator]() {
          const aborted = Promise.withResolvers<void>();
          const onAbort = () => aborted.resolve();
          signal.addEventListener("abort", onAbort);
          try {
            while (!signal.aborted && !closed) {
              if (seen === changes) await Promise.race([next.promise, aborted.promise]);
              if (signal.aborted || closed) return;
              seen = changes;
              yield;
            }
          } finally {
            signal.removeEventListener("abort", onAbort);
          }
        },
      };
    },
    close() {
      closed = true;
      wakeAll();
    },
  };
}
