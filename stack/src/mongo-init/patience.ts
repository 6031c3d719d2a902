import { setTimeout as delay } from "node:timers/promises";
import { WaitError } from "./replica-set-plan.ts";

/** The limits of retries. */
export type Patience = {
  /** Cancels all waiting; its reason is not shown. */
  readonly over: AbortSignal;
  /** Delay between two attempts, in ms. */
  readonly everyMs: number;
  /** Called with the reason for waiting whenever it changes. */
  readonly onWait: (what: string, reason: string) => void;
};

/**
 * Returns the result of `attempt`, which is retried while it rejects with WaitError.
 * @throws Error that names `what` and the last reason at the time limit; otherwise the error of `attempt`.
 */
export async function waitFor<Result>(
  patience: Patience,
  what: string,
  attempt: () => Promise<Result>,
): Promise<Result> {
  const { over, everyMs, onWait } = patience;
  let known: string | undefined;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof WaitError)) throw error;
      if (over.aborted)
        throw new Error(`${what}: ${error.message}; the time is over (--timeout)`, { cause: error });
      if (error.message !== known) onWait(what, error.message);
      known = error.message;
    }
    await delay(everyMs, undefined, { signal: over }).catch(() => {});
  }
}
