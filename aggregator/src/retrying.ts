import { setTimeout as delay } from "node:timers/promises";

const delayFirstMs = 250;
const delayMaxMs = 5000;

/**
 * Tries until it succeeds, waiting twice as long after each failure, at most five seconds. Each failure is told.
 * @throws the signal's reason when it aborts.
 */
export async function retrying<T>(
  attempt: () => Promise<T>,
  options: { readonly signal: AbortSignal; readonly onFailure: (error: unknown) => void },
): Promise<T> {
  const { signal, onFailure } = options;
  for (let waitMs = delayFirstMs; ; waitMs = Math.min(waitMs * 2, delayMaxMs)) {
    signal.throwIfAborted();
    try {
      return await attempt();
    } catch (error) {
      onFailure(error);
    }
    await delay(waitMs, undefined, { signal });
  }
}
