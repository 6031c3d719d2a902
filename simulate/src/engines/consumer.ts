import type { SimulatedLog } from "./log.ts";
import type { SampleRecord } from "./sample-records.ts";

/** A consumer group of the topic of messages whose tasks share the partitions: it reads ahead of its commits. */
export type Consumer = {
  /** By partition: the messages before have been read at least once. A redelivery does not undo what was handled. */
  readonly handled: Float64Array;
  /** Reads at most `perTask` messages with each task; partition p belongs to task p modulo `tasks`. */
  read(options: {
    readonly perTask: number;
    readonly isPaused: (task: number) => boolean;
    readonly each: (record: SampleRecord) => void;
  }): void;
  commit(): void;
  /** A task fails: it reads again from what is committed. */
  restart(task: number): void;
  committed(): Map<number, number>;
};

/** Creates a consumer at the start of the log. */
export function createConsumer(log: SimulatedLog, tasks: number): Consumer {
  const { partitions } = log;
  /** The next offset to read. */
  const positions = new Float64Array(partitions);
  const handled = new Float64Array(partitions);
  const committed = new Float64Array(partitions);
  let round = 0;

  function readPartition(partition: number, budget: number, each: (record: SampleRecord) => void): number {
    const from = positions[partition] as number;
    const to = Math.min(log.endOf(partition), from + budget);
    for (const record of log.samplesBetween(partition, from, to)) each(record);
    positions[partition] = to;
    handled[partition] = Math.max(handled[partition] as number, to);
    return to - from;
  }

  return {
    handled,
    read({ perTask, isPaused, each }) {
      round++;
      for (let task = 0; task < tasks; task++) {
        if (isPaused(task)) continue;
        const own = Math.ceil((partitions - task) / tasks);
        let budget = Math.ceil(perTask);
        for (let count = 0; count < own && budget > 0; count++) {
          // Another partition is first in each step, and none takes more than its share while others wait.
          const partition = task + ((round + count) % own) * tasks;
          budget -= readPartition(partition, Math.ceil(budget / (own - count)), each);
        }
      }
    },
    commit() {
      committed.set(positions);
    },
    restart(task) {
      for (let partition = task; partition < partitions; partition += tasks) {
        positions[partition] = committed[partition] as number;
      }
    },
    committed: () => new Map(committed.entries()),
  };
}
