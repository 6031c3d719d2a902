import { type Backoff, longestDelayMs } from "@devicemesh/kit/lifetime/backoff";
import { passingRestartsMax } from "../limits.ts";
import type { SparkError } from "../spark/spark-error.ts";

/**
 * The delays before an ended query is restarted, which double with each failure without a batch in between. From a
 * second to a minute: a permanent failure costs Spark little, and a temporary one little time.
 */
export const restartDelays: Backoff = { firstMs: 1000, longestMs: 60_000 };

/**
 * Returns the delay in ms. `failures` counts this failure and those before it since the last batch. A failure that is
 * known to be temporary is retried at once, unless it occurs again.
 */
export function restartDelayMs(
  failure: { readonly error: Pick<SparkError, "kind" | "message" | "trace">; readonly failures: number },
  delays: Backoff = restartDelays,
): number {
  const { error, failures } = failure;
  const isPassing = error.kind === "queryNotFound" || isFaultAfterCrash(`${error.message}\n${error.trace}`);
  if (isPassing && failures <= passingRestartsMax) return 0;
  return longestDelayMs(failures - 1, delays);
}

/**
 * Spark 4.1.2 may fail once after a crash in the middle of a batch, when it requests the metrics of a Kafka source that
 * has read nothing yet; the next start succeeds.
 */
function isFaultAfterCrash(text: string): boolean {
  return /NullPointerException/.test(text) && /KafkaMicroBatchStream\$?\.metrics/.test(text);
}
