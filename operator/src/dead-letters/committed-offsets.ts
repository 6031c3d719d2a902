/** Commits offsets of partitions one at a time, and never one below a committed offset. */
export type CommittedOffsets = {
  /** Resolves when the offset, or a later one, is committed. */
  advance(topic: string, partition: number, offset: number): Promise<void>;
};

/** Commits with `commit`, which is called one at a time. */
export function createCommittedOffsets(
  commit: (topic: string, partition: number, offset: number) => Promise<void>,
): CommittedOffsets {
  const furthest = new Map<string, number>();
  let last: Promise<void> = Promise.resolve();
  return {
    advance(topic, partition, offset) {
      const next = last.then(async () => {
        const key = `${topic}/${partition}`;
        const known = furthest.get(key);
        if (known !== undefined && known >= offset) return;
        await commit(topic, partition, offset);
        furthest.set(key, offset);
      });
      last = next.catch(() => {});
      return next;
    },
  };
}
