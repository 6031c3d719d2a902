import { setTimeout as delay } from "node:timers/promises";
import type { SparkClient } from "@devicemesh/aggregator/spark/spark-client";
import { type TimedBatch, timedBatch } from "./hops.ts";

/** Spark remembers the last hundred batches: at four a second those of 25 s. */
const everyMs = 15_000;

/** Collects the batches of the running window job until disposed. */
export function watchBatchTimes(
  spark: Pick<SparkClient, "activeQueries" | "recentProgress">,
): AsyncDisposable & {
  /** Returns all batches since the start, the oldest first. */
  all(): Promise<readonly TimedBatch[]>;
} {
  const batches = new Map<number, TimedBatch>();
  const stopping = new AbortController();

  async function read(): Promise<void> {
    const [query] = await spark.activeQueries();
    if (!query) return;
    for (const json of await spark.recentProgress(query.run)) {
      const batch = timedBatch(json);
      batches.set(batch.batch, batch);
    }
  }

  const watching = (async () => {
    while (!stopping.signal.aborted) {
      await read().catch(() => {});
      await delay(everyMs, undefined, { signal: stopping.signal }).catch(() => {});
    }
  })();
  return {
    async all() {
      await read();
      return [...batches.values()].sort((a, b) => a.batch - b.batch);
    },
    async [Symbol.asyncDispose]() {
      stopping.abort();
      await watching;
    },
  };
}
