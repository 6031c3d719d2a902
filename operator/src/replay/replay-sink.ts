import { setTimeout as delay } from "node:timers/promises";
import type { ConnectRest } from "../connectors/connect-rest.ts";
import { sinkStopWaitMs } from "../limits.ts";

const stopPollMs = 250;

/** The start of a replay: an offset for each partition of the topic, or the beginning of all. */
export type ReplayStart =
  | { readonly topic: string; readonly offsets: ReadonlyMap<number, number> }
  | undefined;

/**
 * Lets a sink read its topic again, from an offset of each partition or from the beginning. This is harmless, because
 * each record has its `_id`. Resolves when the sink runs again, before it has read the topic.
 * @throws Error if it does not stop within a minute.
 */
export async function replaySink(rest: ConnectRest, name: string, start?: ReplayStart): Promise<void> {
  await rest.stop(name);
  const deadlineMs = performance.now() + sinkStopWaitMs;
  const rewind = () =>
    start ? rest.moveOffsets(name, start.topic, start.offsets) : rest.forgetOffsets(name);
  // Stopping takes time, and until then the worker rejects offsets.
  while (!(await rewind())) {
    if (performance.now() > deadlineMs) throw new Error(`connector ${name} does not stop`);
    await delay(stopPollMs);
  }
  await rest.resume(name);
}
