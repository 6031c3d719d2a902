import type { WithAdmin } from "../kafka-admin.ts";

/** The progress of a consumer group in a topic. */
export type GroupProgress = {
  /** The sum of its committed offsets over the partitions. It grows with each processed record. */
  readonly committed: number;
  /** Number of records that it has not committed yet. */
  readonly lag: number;
};

/** Returns the progress of a group in a topic; records that expired unread do not count as lag. */
export async function readGroupProgress(
  withAdmin: WithAdmin,
  groupId: string,
  topic: string,
  signal?: AbortSignal,
): Promise<GroupProgress> {
  return await withAdmin(async (admin) => {
    const [groups, ends] = await Promise.all([
      admin.fetchOffsets({ groupId, topics: [topic] }),
      admin.fetchTopicOffsets(topic),
    ]);
    const offsets = new Map(
      groups.flatMap(({ partitions }) =>
        partitions.map(({ partition, offset }) => [partition, Number(offset)] as const),
      ),
    );
    let [committed, lag] = [0, 0];
    for (const { partition, low, high } of ends) {
      const passed = Math.max(offsets.get(partition) ?? 0, Number(low));
      committed += passed;
      lag += Math.max(Number(high) - passed, 0);
    }
    return { committed, lag };
  }, signal);
}
