import { setImmediate as nextIteration } from "node:timers/promises";

/** Longest time that one piece of work may block the event loop, in ms. */
const shareMs = 8;

/** Lets other work of the process run in between: `await share()` often; it yields only when its share has passed. */
export function createLoopShare(
  monotonicMs: () => number = () => performance.now(),
): () => Promise<void> | undefined {
  let beganMs = monotonicMs();
  return () => {
    if (monotonicMs() - beganMs < shareMs) return undefined;
    return nextIteration().then(() => {
      beganMs = monotonicMs();
    });
  };
}
