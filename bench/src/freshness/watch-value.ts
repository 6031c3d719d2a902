import { setTimeout as delay } from "node:timers/promises";

/** Observations of something that is polled, with the time (ms since 1970) at which each was there. */
export type Watch<Value> = AsyncDisposable & {
  readonly seen: readonly { readonly atMs: number; readonly value: Value }[];
};

/**
 * Polls every `everyMs` until disposed, and keeps each value that differs from the one before. A failed poll is left
 * out.
 */
export function watchValue<Value>(options: {
  readonly everyMs: number;
  readonly read: () => Promise<Value>;
  readonly isEqual?: (a: Value, b: Value) => boolean;
}): Watch<Value> {
  const { everyMs, read, isEqual = Object.is } = options;
  const seen: { readonly atMs: number; readonly value: Value }[] = [];
  const stopping = new AbortController();
  const watching = (async () => {
    while (!stopping.signal.aborted) {
      const value = await read().catch(() => undefined);
      const last = seen.at(-1);
      if (value !== undefined && !(last && isEqual(last.value, value))) {
        seen.push({ atMs: Date.now(), value });
      }
      await delay(everyMs, undefined, { signal: stopping.signal }).catch(() => {});
    }
  })();
  return {
    seen,
    async [Symbol.asyncDispose]() {
      stopping.abort();
      await watching;
    },
  };
}
