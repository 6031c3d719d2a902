import { acceptedSinceRecord } from "@devicemesh/pipeline";
import type { Kafka, Producer } from "kafkajs";

/** The topic that tells ingest how far raw readings were ever deleted. */
export type RetentionTopic = AsyncDisposable & {
  /** Ends the connection. */
  close(): Promise<void>;
  /** Appends the earliest timestamp (ms) that ingest may accept. Durable when it resolves. */
  announce(acceptedSinceMs: number): Promise<void>;
};

/** Opens the topic; it is connected to with the first announcement, and again after one that failed. */
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
