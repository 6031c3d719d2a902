import { setTimeout as delay } from "node:timers/promises";
import { WaitError } from "./replica-set-plan.ts";

/** How long to go on trying. */
export type Patience = {
  /** Ends all waiting; its reason is not shown. */
  readonly over: AbortSignal;
  /** Between two attempts, in ms. */
  readonly everyMs: number;
  /** Says why it waits, each time that the reason is another. */
  readonly onWait: (what: string, reason: string) => void;
};

/**
 * The result of `attempt`, which is repeated for as long as it rejects with WaitError.
 * @throws Error that names `what` and the last reason when the time is over; else what `attempt` rejects with.
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
