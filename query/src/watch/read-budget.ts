/** Limits the number of concurrent reads of watches, so that other calls find the store available. */
export type ReadBudget = {
  /**
   * Runs the read as soon as one may begin, in order. First reads take precedence over later ones, but never two in a
   * row while a later one waits. Rejects with the signal's reason if it aborts meanwhile.
   */
  run<T>(
    options: { readonly isFirst: boolean; readonly signal: AbortSignal },
    read: () => Promise<T>,
  ): Promise<T>;
};

/** Creates a budget of `max` concurrent reads. Its callers bound the number of waiting ones: one for each query. */
export function createReadBudget(max: number): ReadBudget {
  const queues = { first: new Set<() => void>(), later: new Set<() => void>() };
  let free = max;
  let wasFirst = false;

  function next(): void {
    const { first, later } = queues;
    const queue = first.size > 0 && !(wasFirst && later.size > 0) ? first : later;
    const [begin] = queue;
    if (free === 0 || begin === undefined) return;
    wasFirst = queue === first;
    queue.delete(begin);
    free--;
    begin();
  }

  async function admitted({ isFirst, signal }: { readonly isFirst: boolean; readonly signal: AbortSignal }) {
    signal.throwIfAborted();
    const queue = isFirst ? queues.first : queues.later;
    const begun = Promise.withResolvers<void>();
    const onAbort = () => {
      // Once begun, the signal ends the read itself.
      if (queue.delete(begun.resolve)) begun.reject(signal.reason);
    };
    queue.add(begun.resolve);
    signal.addEventListener("abort", onAbort);
    next();
    try {
      await begun.promise;
    } finally {
      signal.removeEventListener("abort", onAbort);
    }
  }

  return {
    async run(options, read) {
      await admitted(options);
      try {
        return await read();
      } finally {
        free++;
        next();
      }
    },
  };
}
