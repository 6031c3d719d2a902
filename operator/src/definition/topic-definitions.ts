import type { MeshDefinition } from "./mesh-definition.ts";

/** The desired state of a topic. */
export type TopicDefinition = {
  readonly topic: string;
  readonly partitions: number;
  readonly replication: number;
  /** Settings of the topic, in the broker's notation. */
  readonly settings: Readonly<Record<string, string>>;
};

const dayMs = 86_400_000;

/** Windows are derived and stored within seconds: a week allows inspection and covers an outage of a sink. */
export const windowsRetentionMs = 7 * dayMs;

/**
 * Dead letters are stored in the database permanently. On the topic they only wait for the reader; unlimited retention
 * would let a client that sends duplicates fill the brokers' disks.
 */
export const deadLettersRetentionMs = 30 * dayMs;

/**
 * Returns the topics of a mesh. Dead letters carry the append time of the rejected record (CreateTime), the other
 * topics the broker's own (LogAppendTime), which segments and frontiers are based on.
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
      // Their order is irrelevant, and one partition has more capacity than the database's rate of rejections.
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

/** Number of brokers that must have a record before it is acknowledged: one broker of three may be unavailable. */
export function minInsyncReplicas(replication: number): number {
  return replication >= 3 ? 2 : 1;
}
