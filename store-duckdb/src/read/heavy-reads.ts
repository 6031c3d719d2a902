import { exhausted } from "../database/exhausted.ts";

/**
 * Number of running and of waiting reads of very many series: each takes a second, and a caller waits half a minute.
 */
const heavyMax = 1;
const heavyWaitingMax = 20;

/**
 * Runs a read of very many series, so that one connection stays available for others.
 * @throws RpcError RESOURCE_EXHAUSTED if too many wait; the signal's reason if it aborts.
 */
export type HeavyReads = <T>(read: () => Promise<T>, signal: AbortSignal) => Promise<T>;

/** Creates the queue of heavy reads. */
export function createHeavyReads(): HeavyReads {
  let running = 0;
  const waiting = new Set<() => void>();

  async function untilFree(signal: AbortSignal): Promise<void> {
    if (running < heavyMax) return;
    if (waiting.size >= heavyWaitingMax) {
      throw exhausted(
        "heavy queries",
        `${heavyMax} of very many series runs, at most ${heavyWaitingMax} wait: try again`,
      );
    }
    const { promise, resolve } = Promise.withResolvers<void>();
    waiting.add(resolve);
    signal.addEventListener("abort", () => resolve(), { once: true });
    await promise;
    waiting.delete(resolve);
  }

  function wakeNext(): void {
    const [wake] = waiting;
    wake?.();
  }

  return async (read, signal) => {
    while (running >= heavyMax) {
      await untilFree(signal);
      // If a caller has cancelled, the next one runs.
      if (signal.aborted && running < heavyMax) wakeNext();
      signal.throwIfAborted();
    }
    running++;
    try {
      return await read();
    } finally {
      running--;
      wakeNext();
    }
  };
}
