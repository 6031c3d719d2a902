import type { MeshDefinition } from "./mesh-definition.ts";

/** A topic as it should be. */
export type TopicDefinition = {
  readonly topic: string;
  readonly partitions: number;
  readonly replication: number;
  /** Settings of the topic, as the broker writes them. */
  readonly settings: Readonly<Record<string, string>>;
};

const dayMs = 86_400_000;

/** Windows are derived and stored within seconds: a week is for looking at them and for a sink that was away. */
export const windowsRetentionMs = 7 * dayMs;

/**
 * Dead letters are stored in the database, where they stay. On the topic they wait for the reader only; for
 * ever would let a client that repeats itself fill the brokers' disks.
 */
export const deadLettersRetentionMs = 30 * dayMs;

/**
 * The topics of a mesh. Dead letters carry the append time of the record that was refused (CreateTime), the
 * others the broker's own (LogAppendTime): it is what segments and frontiers are made of.
 */
export function topicDefinitions(mesh: MeshDefinition): readonly TopicDefinition[] {
  const { names, partitions, replication, retainLogMs } = mesh;
  const { messages, windows, messageDeadLetters, windowDeadLetters, retention } = names.topics;
  const settings = (timestampType: string, retentionMs: number): Record<string, string> => ({
    "cleanup.policy": "delete",
    "message.timestamp.type": timestampType,
    "min.insync.replicas": `${minInsyncReplicas(replication)}`,
    "retention.ms": `${retentionMs}`,
  });
  return [
    { topic: messages, partitions, replication, settings: settings("LogAppendTime", retainLogMs) },
    { topic: windows, partitions, replication, settings: settings("LogAppendTime", windowsRetentionMs) },
    ...[messageDeadLetters, windowDeadLetters].map((topic) => ({
      topic,
      // Their order means nothing, and one partition takes more than the database can refuse.
      partitions: 1,
      replication,
      settings: settings("CreateTime", deadLettersRetentionMs),
    })),
    {
      topic: retention,
      partitions: 1,
      replication,
      settings: {
        "cleanup.policy": "compact",
        "message.timestamp.type": "LogAppendTime",
        "min.insync.replicas": `${minInsyncReplicas(replication)}`,
      },
    },
  ];
}

/** How many brokers must have a record before it is acknowledged: one broker of three may be away. */
export function minInsyncReplicas(replication: number): number {
  return replication >= 3 ? 2 : 1;
}
