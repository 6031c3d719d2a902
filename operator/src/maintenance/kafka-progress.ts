import type { WithAdmin } from "../kafka-admin.ts";

/** How far a consumer group has come in a topic. */
export type GroupProgress = {
  /** The sum of what it has committed, over the partitions. It grows with each record that it has done with. */
  readonly committed: number;
  /** How many records it has not committed yet. */
  readonly lag: number;
};

/** How far a group has come in a topic; what has expired unread does not count as lag. */
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
