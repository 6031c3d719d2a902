import type { LogOffsets } from "../log/log-access.ts";
import type { AggregatorStore, CheckpointStart } from "../store/aggregator-store.ts";

/**
 * Returns the start of a checkpoint that was never used: the frontier, because the partials before it are permanent and
 * must not be written again from a log that may have dropped some of their messages.
 * @throws Error if the log may have dropped messages that no window includes: continuing would leave them out
 * permanently.
 */
export async function newCheckpointStart(dependencies: {
  readonly store: Pick<AggregatorStore, "readFrontier">;
  readonly offsets: Pick<LogOffsets, "messageOffsetsAt">;
}): Promise<CheckpointStart> {
  const { store, offsets } = dependencies;
  const { frontiersMs } = await store.readFrontier();
  const sinceMs = frontiersMs[0] ?? 0;
  const startingOffsets = await offsets.messageOffsetsAt(sinceMs);
  if (sinceMs === 0) return { sinceMs, startingOffsets };
  const firsts = await offsets.messageOffsetsAt(0);
  // If the log still has a record from before the frontier, it has all later ones.
  const lost = [...startingOffsets]
    .filter(([partition, offset]) => {
      const first = firsts.get(partition) ?? 0;
      return first > 0 && offset <= first;
    })
    .map(([partition]) => partition);
  if (lost.length === 0) return { sinceMs, startingOffsets };
  throw new Error(
    `the log has dropped messages of partition ${lost.join(", ")} that may have arrived after the frontier (${new Date(sinceMs).toISOString()}) and that no window holds: answers stay exact from raw readings, but the frontier cannot move; set --retain-log of the operator to more than the longest outage of Spark`,
  );
}
