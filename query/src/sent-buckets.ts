import type { Aggregate } from "./merge.ts";

/** What of the watched buckets a reader knows. It holds a count for each and nothing else. */
export type SentBuckets = {
  /** The aggregates that are not as they were sent; they count as sent then, and what is not there as unknown. */
  takeChanged(aggregates: readonly Aggregate[]): Aggregate[];
  /** How many counts are held. */
  readonly size: number;
};

/** Makes the memory of a reader that knows nothing. */
export function createSentBuckets(): SentBuckets {
  let counts = new Map<string, number>();
  return {
    takeChanged(aggregates) {
      const known = counts;
      counts = new Map();
      return aggregates.filter(({ deviceId, sensor, bucketMs, partial }) => {
        const key = `${deviceId}\n${sensor}\n${bucketMs}`;
        counts.set(key, partial.count);
        // A reading never changes or goes, so what has the same count is the same.
        return known.get(key) !== partial.count;
      });
    },
    get size() {
      return counts.size;
    },
  };
}
