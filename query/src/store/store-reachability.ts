import { setTimeout as delay } from "node:timers/promises";
import type { ReadingStore } from "./reading-store.ts";

/** Interval of checks of the store, in ms. */
const tryEveryMs = 1000;

/**
 * Checks repeatedly whether the store is available, until it is disposed. `onChange` is called at the first check and
 * at each change: undefined if it is available, otherwise the error.
 */
export function watchReach(
  store: Pick<ReadingStore, "readHorizon">,
  options: { readonly onChange: (error: unknown) => void; readonly everyMs?: number },
): AsyncDisposable {
  const { onChange, everyMs = tryEveryMs } = options;
  const ending = new AbortController();

  async function reach(): Promise<unknown> {
    try {
      await store.readHorizon(ending.signal);
      return undefined;
    } catch (error) {
      return error;
    }
  }

  async function run(): Promise<void> {
    let isReached: boolean | undefined;
    while (!ending.signal.aborted) {
      const error = await reach();
      if (ending.signal.aborted) return;
      if (isReached !== (error === undefined)) onChange(error);
      isReached = error === undefined;
      await delay(everyMs, undefined, { signal: ending.signal }).catch(() => {});
    }
  }

  const running = run();
  return {
    async [Symbol.asyncDispose]() {
      ending.abort();
      await running;
    },
  };
}
