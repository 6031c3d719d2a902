import { passingRestartsMax } from "../limits.ts";
import type { SparkError } from "../spark/spark-error.ts";

/** The delays before an ended query is restarted. */
export type RestartDelays = {
  /** Delay after the first failure, in ms; it doubles with each one that follows without a batch in between. */
  readonly firstMs: number;
  readonly mostMs: number;
};

/** From a second to a minute: a permanent failure costs Spark little, and a temporary one little time. */
export const restartDelays: RestartDelays = { firstMs: 1000, mostMs: 60_000 };

/**
 * Returns the delay in ms. `failures` counts this failure and those before it since the last batch. A failure that is
 * known to be temporary is retried at once, unless it repeats.
 */
export function restartDelayMs(
  failure: { readonly error: Pick<SparkError, "kind" | "message" | "trace">; readonly failures: number },
  delays: RestartDelays = restartDelays,
): number {
  const { error, failures } = failure;
  const isPassing = error.kind === "queryNotFound" || isFaultAfterCrash(`${error.message}\n${error.trace}`);
  if (isPassing && failures <= passingRestartsMax) return 0;
  return Math.min(delays.firstMs * 2 ** (failures - 1), delays.mostMs);
}

/**
 * Spark 4.1.2 may fail once after a crash in the middle of a batch, when it requests the metrics of a Kafka source that
 * has read nothing yet; the next start succeeds.
 */
function isFaultAfterCrash(text: string): boolean {
  return /NullPointerException/.test(text) && /KafkaMicroBatchStream\$?\.metrics/.test(text);
}
