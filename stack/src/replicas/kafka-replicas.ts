import { createKafka } from "@devicemesh/pipeline/kafka-client";

type Topic = {
  readonly name: string;
  readonly partitions: readonly {
    readonly partitionId: number;
    readonly replicas: readonly number[];
    readonly isr: readonly number[];
  }[];
};

/** Returns the partitions without all their replicas in sync, as `topic/partition`. */
export function underReplicated(topics: readonly Topic[]): readonly string[] {
  return topics.flatMap(({ name, partitions }) =>
    partitions
      .filter(({ replicas, isr }) => isr.length < replicas.length)
      .map(({ partitionId }) => `${name}/${partitionId}`),
  );
}

/**
 * Queries Kafka for every partition with a missing replica.
 * @throws Error if no broker answers.
 */
export async function readUnderReplicated(brokers: readonly string[]): Promise<readonly string[]> {
  const admin = createKafka({ brokers, clientId: "devicemesh-replicas", retries: 0 }).admin();
  try {
    await admin.connect();
    const { topics } = await admin.fetchTopicMetadata();
    return underReplicated(topics);
  } finally {
    await admin.disconnect().catch(() => {});
  }
}
