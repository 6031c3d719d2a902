import { type RpcError, resourceExhausted } from "@devicemesh/kit/rpc/rpc-error";

/** Limits the number of concurrent reads, whatever happens to their callers. */
export type ReadSlots = {
  /**
   * Resolves with the release of a slot once one is free, in order of the calls.
   * @throws RpcError RESOURCE_EXHAUSTED with a retry delay if too many wait; the signal's reason if it aborts.
   */
  take(signal: AbortSignal): Promise<() => void>;
};

/** Delay before a retry that a rejected caller receives, in ms. */
const retryDelayMs = 2000;

/** Creates `atOnceMax` slots, for which at most `waitingMax` calls wait. */
export function createReadSlots({
  atOnceMax,
  waitingMax,
}: {
  readonly atOnceMax: number;
  readonly waitingMax: number;
}): ReadSlots {
  let taken = 0;
  const waiting = new Set<() => void>();

  function free(): void {
    const [next] = waiting;
    if (next === undefined) {
      taken--;
      return;
    }
    waiting.delete(next);
    next();
  }

  /** The end of a slot; a second call does nothing. */
  function slot(): () => void {
    let isFreed = false;
    return () => {
      if (isFreed) return;
      isFreed = true;
      free();
    };
  }

  return {
    async take(signal) {
      signal.throwIfAborted();
      if (taken < atOnceMax) {
        taken++;
        return slot();
      }
      if (waiting.size >= waitingMax) throw tooMany(atOnceMax + waitingMax);
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const leave = (): void => {
        waiting.delete(resolve);
        reject(signal.reason);
      };
      waiting.add(resolve);
      signal.addEventListener("abort", leave, { once: true });
      try {
        await promise;
      } finally {
        signal.removeEventListener("abort", leave);
      }
      return slot();
    },
  };
}

function tooMany(max: number): RpcError {
  const subject = "reads of the database";
  const description = `at most ${max} are running or queued: try again, or request a shorter timeframe`;
  return resourceExhausted({ subject, description, retryDelayMs });
}
