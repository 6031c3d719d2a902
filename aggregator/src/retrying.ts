import { setTimeout as delay } from "node:timers/promises";
import { retryFirstMs, retryMaxMs } from "./limits.ts";

/**
 * Tries until it succeeds, waiting twice as long after each failure, at most five seconds. Each failure is reported.
 * @throws the signal's reason as soon as it aborts, also in the middle of an attempt, which is then left alone.
 */
export async function retrying<T>(
  attempt: () => Promise<T>,
  options: { readonly signal: AbortSignal; readonly onFailure: (error: unknown) => void },
): Promise<T> {
  const { signal, onFailure } = options;
  const aborted = new Promise<never>((_, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
  aborted.catch(() => {});
  for (let waitMs = retryFirstMs; ; waitMs = Math.min(waitMs * 2, retryMaxMs)) {
    signal.throwIfAborted();
    try {
      return await Promise.race([attempt(), aborted]);
    } catch (error) {
      signal.throwIfAborted();
      onFailure(error);
    }
    await delay(waitMs, undefined, { signal });
  }
}
