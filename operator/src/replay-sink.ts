import { setTimeout as delay } from "node:timers/promises";
import type { ConnectRest } from "./connect-rest.ts";

const stopWaitMs = 60_000;
const stopPollMs = 250;

/**
 * Lets a sink take its whole topic again from the beginning: harmless, since each record has its `_id`. Resolves when
 * the sink runs again, not when it is through.
 * @throws Error if it does not stop within a minute.
 */
export async function replaySink(rest: ConnectRest, name: string): Promise<void> {
  await rest.stop(name);
  const deadlineMs = performance.now() + stopWaitMs;
  // Stopping takes its time, and until then offsets are refused.
  while (!(await rest.forgetOffsets(name))) {
    if (performance.now() > deadlineMs) throw new Error(`connector ${name} does not stop`);
    await delay(stopPollMs);
  }
  await rest.resume(name);
}
