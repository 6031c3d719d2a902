import { type AcceptedSince, acceptedSinceRecord } from "@devicemesh/pipeline";
import type { Kafka, Producer } from "kafkajs";

/** The topic that informs ingest up to where raw readings were ever deleted, and in which units values are stored. */
export type RetentionTopic = AsyncDisposable & {
  /** Closes the connection. */
  close(): Promise<void>;
  /** Appends what ingest may accept. Durable when it resolves. */
  announce(accepted: AcceptedSince): Promise<void>;
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
    async announce(accepted) {
      try {
        if (!producer) {
          producer = kafka.producer({ allowAutoTopicCreation: false });
          await producer.connect();
        }
        await producer.send({ topic, acks: -1, messages: [acceptedSinceRecord(accepted)] });
      } catch (error) {
        await disconnect().catch(() => {});
        throw error;
      }
    },
    close: disconnect,
    [Symbol.asyncDispose]: disconnect,
  };
}
