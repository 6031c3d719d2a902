import { passingRestartsMax } from "../limits.ts";
import type { SparkError } from "../spark/spark-error.ts";

/** How long to wait before a query that ended is started again. */
export type RestartDelays = {
  /** After the first failure, in ms; doubled with each that follows without a batch in between. */
  readonly firstMs: number;
  readonly mostMs: number;
};

/** A second at first, a minute at most: a failure that stays costs Spark little, one that passes little time. */
export const restartDelays: RestartDelays = { firstMs: 1000, mostMs: 60_000 };

/**
 * How long to wait, in ms. `failures` counts this one and those before it since the last batch. What is known
 * to pass is answered at once, unless it does not pass.
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
 * Spark 4.1.2 may die once after a crash in the middle of a batch, when it asks a Kafka source that has read
 * nothing yet for its metrics; the next start goes on.
 */
function isFaultAfterCrash(text: string): boolean {
  return /NullPointerException/.test(text) && /KafkaMicroBatchStream\$?\.metrics/.test(text);
}
