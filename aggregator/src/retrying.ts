import { setTimeout as delay } from "node:timers/promises";
import { unlessAborted } from "@devicemesh/kit/async/time-limit";
import { backoffDelayMs } from "@devicemesh/kit/lifetime/backoff";
import { retryBackoff } from "./limits.ts";

/**
 * Retries until it succeeds, with a back-off up to five seconds. Reports each failure.
 * @throws the signal's reason as soon as it aborts, also during an attempt, which is then abandoned.
 */
export async function retrying<T>(
  attempt: () => Promise<T>,
  options: { readonly signal: AbortSignal; readonly onFailure: (error: unknown) => void },
): Promise<T> {
  const { signal, onFailure } = options;
  for (let failures = 0; ; failures++) {
    signal.throwIfAborted();
    try {
      return await unlessAborted(attempt(), signal);
    } catch (error) {
      signal.throwIfAborted();
      onFailure(error);
    }
    await delay(backoffDelayMs({ attempt: failures, backoff: retryBackoff }), undefined, { signal });
  }
}
