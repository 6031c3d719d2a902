import { namedKafkaError } from "@devicemesh/pipeline/kafka-security-error";
import type { Kafka } from "kafkajs";
import type { TickLog } from "./log-access.ts";
import type { Tick } from "./ticks.ts";

/** The key of a tick; it has no value. */
const tickKey = "tick";

/**
 * Opens the producer of ticks. It sends one request for each partition, so that a partition without a leader does not
 * affect the others; one round at a time.
 * @throws the client's error if no broker can be reached; KafkaSecurityError if TLS or SASL is the cause.
 */
export async function openKafkaTicks(options: {
  readonly kafka: Kafka;
  readonly topic: string;
  readonly partitions: number;
}): Promise<TickLog> {
  const { kafka, topic, partitions } = options;
  const producer = kafka.producer({
    allowAutoTopicCreation: false,
    // A late tick has no value: the next one follows.
    retry: { retries: 1, initialRetryTime: 100 },
  });
  await producer.connect().catch(async (error: unknown) => {
    await producer.disconnect().catch(() => {});
    throw namedKafkaError(error);
  });

  async function append(partition: number): Promise<Tick> {
    const acknowledged = await producer.send({
      topic,
      acks: -1,
      timeout: 3000,
      messages: [{ partition, key: tickKey, value: null }],
    });
    const result = acknowledged.find((one) => one.partition === partition);
    if (result?.errorCode !== 0 || result.baseOffset === undefined || result.logAppendTime === undefined) {
      throw new Error(`the broker did not acknowledge the tick of partition ${partition} of ${topic}`);
    }
    const appendedMs = Number(result.logAppendTime);
    // -1: the topic stores the producers' times, which must not be used for measuring.
    if (appendedMs < 0) throw new Error(`${topic} must have message.timestamp.type=LogAppendTime`);
    return { partition, offset: Number(result.baseOffset), appendedMs };
  }

  return {
    async appendRound() {
      const places = Array.from({ length: partitions }, (_, partition) => partition);
      const results = await Promise.allSettled(places.map(append));
      const ticks = results.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
      const lost = places.filter((partition) => results[partition]?.status === "rejected");
      const error = results.find((result) => result.status === "rejected")?.reason;
      return { ticks, lost, error };
    },
    [Symbol.asyncDispose]: () => producer.disconnect(),
  };
}
