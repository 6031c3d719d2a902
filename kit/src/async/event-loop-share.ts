import { setImmediate as nextTurn } from "node:timers/promises";

/** How long one piece of work may hold the event loop, in ms. */
const shareMs = 8;

/** Lets other work of the process run in between: `await share()` often; it waits only when its time is over. */
export function createLoopShare(
  monotonicMs: () => number = () => performance.now(),
): () => Promise<void> | undefined {
  let beganMs = monotonicMs();
  return () => {
    if (monotonicMs() - beganMs < shareMs) return undefined;
    return nextTurn().then(() => {
      beganMs = monotonicMs();
    });
  };
}
