import { setTimeout as delay } from "node:timers/promises";
import { unlessAborted } from "@devicemesh/kit/async/time-limit";
import { retryFirstMs, retryMaxMs } from "./limits.ts";

/**
 * Retries until it succeeds, with a delay that doubles after each failure, up to five seconds. Reports each failure.
 * @throws the signal's reason as soon as it aborts, also during an attempt, which is then abandoned.
 */
export async function retrying<T>(
  attempt: () => Promise<T>,
  options: { readonly signal: AbortSignal; readonly onFailure: (error: unknown) => void },
): Promise<T> {
  const { signal, onFailure } = options;
  for (let waitMs = retryFirstMs; ; waitMs = Math.min(waitMs * 2, retryMaxMs)) {
    signal.throwIfAborted();
    try {
      return await unlessAborted(attempt(), signal);
    } catch (error) {
      signal.throwIfAborted();
      onFailure(error);
    }
    await delay(waitMs, undefined, { signal });
  }
}
