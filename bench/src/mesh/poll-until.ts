import { setTimeout as delay } from "node:timers/promises";

/**
 * Polls until there is a result, and resolves with it.
 * @throws Error that names the awaited result after `limitMs`; the signal's reason when it aborts.
 */
export async function pollUntil<Seen>(options: {
  readonly what: string;
  readonly limitMs: number;
  readonly everyMs: number;
  readonly signal: AbortSignal;
  /** Undefined: not yet. */
  readonly poll: () => Promise<Seen | undefined>;
}): Promise<Seen> {
  const { what, limitMs, everyMs, signal, poll } = options;
  const endMs = performance.now() + limitMs;
  for (;;) {
    const seen = await poll();
    if (seen !== undefined) return seen;
    signal.throwIfAborted();
    if (performance.now() > endMs) throw new Error(`after ${limitMs / 1000} s still not so: ${what}`);
    await delay(everyMs, undefined, { signal }).catch(() => {});
  }
}
