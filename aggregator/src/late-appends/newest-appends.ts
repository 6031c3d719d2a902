import type { PartitionOffsets } from "../log/log-access.ts";

/** No broker's clock is later, ms since 1970. */
const latestMs = 2 ** 43;

/**
 * The largest append time of each partition before these offsets, ms since 1970; without those that have nothing
 * before. `offsetsAt(ms)` gives the first record of each partition that was appended at or after `ms`, in about
 * forty questions a partition.
 */
export async function newestAppends(
  before: PartitionOffsets,
  offsetsAt: (ms: number) => Promise<PartitionOffsets>,
): Promise<Map<number, number>> {
  const newest = new Map<number, number>();
  // One request answers for all partitions, and partitions whose newest times are near ask the same questions.
  const asked = new Map<number, Promise<PartitionOffsets>>();
  function firstsAt(ms: number): Promise<PartitionOffsets> {
    const known = asked.get(ms) ?? offsetsAt(ms);
    asked.set(ms, known);
    return known;
  }
  const firsts = await firstsAt(0);
  for (const [partition, offset] of before) {
    if ((firsts.get(partition) ?? 0) >= offset) continue;
    // The first record at or after `sinceMs` lies before the offset, the one at or after `beforeMs` does not.
    let [sinceMs, beforeMs] = [0, latestMs];
    while (beforeMs - sinceMs > 1) {
      const middleMs = Math.floor((sinceMs + beforeMs) / 2);
      const first = (await firstsAt(middleMs)).get(partition) ?? offset;
      if (first < offset) sinceMs = middleMs;
      else beforeMs = middleMs;
    }
    newest.set(partition, sinceMs);
  }
  return newest;
}
