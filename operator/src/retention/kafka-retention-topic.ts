import { acceptedSinceRecord } from "@devicemesh/pipeline";
import type { Kafka, Producer } from "kafkajs";

/** The topic that informs ingest up to where raw readings were ever deleted. */
export type RetentionTopic = AsyncDisposable & {
  /** Closes the connection. */
  close(): Promise<void>;
  /** Appends the earliest timestamp (ms) that ingest may accept. Durable when it resolves. */
  announce(acceptedSinceMs: number): Promise<void>;
};

/** Opens the topic. It connects with the first announcement, and again after a failed one. */
export function openRetentionTopic(options: {
  readonly kafka: Kafka;
  readonly topic: string;
}): RetentionTopic {
  const { kafka, topic } = options;
  let producer: Producer | undefined;

  async function disconnect(): Promise<void> {
    const old = producer;
    producer = undefined;
    await old?.disconnect();
  }

  return {
    async announce(acceptedSinceMs) {
      try {
        if (!producer) {
          producer = kafka.producer({ allowAutoTopicCreation: false });
          await producer.connect();
        }
        await producer.send({ topic, acks: -1, messages: [acceptedSinceRecord(acceptedSinceMs)] });
      } catch (error) {
        await disconnect().catch(() => {});
        throw error;
      }
    },
    close: disconnect,
    [Symbol.asyncDispose]: disconnect,
  };
}
