import { randomUUID } from "node:crypto";
import { ProduceAcks, Producer, stringSerializers } from "@platformatic/kafka";
import { readingsPerUnit, type UnitSender } from "./unit-latency.ts";

/**
 * Sends units as a plain producer without ingest does: each at once, in one request with acks=all, spread over the
 * partitions. What it measures is the share of the broker, and of this process.
 */
export function plainUnits(options: {
  /** host:port of each broker. */
  readonly brokers: readonly string[];
  readonly topic: string;
  readonly partitions: number;
}): UnitSender {
  const { brokers, topic, partitions } = options;
  const producer = new Producer({
    clientId: "devicemesh-bench",
    bootstrapBrokers: [...brokers],
    serializers: stringSerializers,
    retries: 0,
  });
  // As long as a message of ingest; the broker does not read it.
  const messages = Array.from({ length: readingsPerUnit }, (_, row) => ({
    topic,
    partition: row % partitions,
    key: `${randomUUID()}|temperature`,
    value: "x".repeat(110),
  }));
  return {
    async send() {
      await producer.send({ acks: ProduceAcks.ALL, messages });
    },
    [Symbol.asyncDispose]: async () => void (await producer.close()),
  };
}
