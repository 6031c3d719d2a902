import { type ChainNames, connectorGroup } from "@devicemesh/pipeline";
import { namedKafkaError } from "@devicemesh/pipeline/kafka-security-error";
import type { Kafka } from "kafkajs";
import type { LogOffsets, PartitionOffsets } from "./log-access.ts";

/**
 * Opens the reader of offsets.
 * @throws the client's error if no broker can be reached; KafkaSecurityError if TLS or SASL is the cause.
 */
export async function openKafkaOffsets(options: {
  readonly kafka: Kafka;
  readonly names: ChainNames;
}): Promise<LogOffsets> {
  const { topics, connectors, deadLetterGroup } = options.names;
  const admin = options.kafka.admin();
  await admin.connect().catch(async (error: unknown) => {
    await admin.disconnect().catch(() => {});
    throw namedKafkaError(error);
  });
  const letters = [topics.messageDeadLetters, topics.windowDeadLetters];
  /** The offset of the first record of a partition: a group that never committed has read everything before it. */
  const firsts = new Map<string, number>();

  async function endsOf(topicNames: readonly string[]): Promise<Map<string, number>> {
    const ends = new Map<string, number>();
    await Promise.all(
      topicNames.map(async (topic) => {
        for (const { partition, high, low } of await admin.fetchTopicOffsets(topic)) {
          ends.set(`${topic}/${partition}`, Number(high));
          firsts.set(`${topic}/${partition}`, Number(low));
        }
      }),
    );
    return ends;
  }

  async function committedOf(groupId: string, topicNames: readonly string[]): Promise<Map<string, number>> {
    const committed = new Map<string, number>();
    for (const { topic, partitions } of await admin.fetchOffsets({ groupId, topics: [...topicNames] })) {
      for (const { partition, offset } of partitions) {
        const place = `${topic}/${partition}`;
        committed.set(place, Number(offset) < 0 ? (firsts.get(place) ?? 0) : Number(offset));
      }
    }
    return committed;
  }

  return {
    async committedMessages() {
      const groupId = connectorGroup(connectors.messages);
      const [found] = await admin.fetchOffsets({ groupId, topics: [topics.messages] });
      return new Map(
        found?.partitions
          .filter(({ offset }) => Number(offset) >= 0)
          .map(({ partition, offset }) => [partition, Number(offset)]),
      );
    },
    async messageEnds() {
      return byPartition(await admin.fetchTopicOffsets(topics.messages));
    },
    async ends() {
      const [windows, deadLetters] = await Promise.all([endsOf([topics.windows]), endsOf(letters)]);
      return { windows, deadLetters };
    },
    async committed() {
      const [windows, deadLetters] = await Promise.all([
        committedOf(connectorGroup(connectors.windows), [topics.windows]),
        committedOf(deadLetterGroup, letters),
      ]);
      return { windows, deadLetters };
    },
    async messageOffsetsAt(ms) {
      if (ms > 0) return byPartition(await admin.fetchTopicOffsetsByTimestamp(topics.messages, ms));
      const found = await admin.fetchTopicOffsets(topics.messages);
      return new Map(found.map(({ partition, low }) => [partition, Number(low)]));
    },
    [Symbol.asyncDispose]: () => admin.disconnect(),
  };
}

function byPartition(
  found: readonly { readonly partition: number; readonly offset: string }[],
): PartitionOffsets {
  return new Map(found.map(({ partition, offset }) => [partition, Number(offset)]));
}
