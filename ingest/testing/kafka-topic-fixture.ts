import { randomUUID } from "node:crypto";
import { waitUntil } from "@devicemesh/kit/testing/test-helpers";
import { createKafka, type KafkaSecurity } from "@devicemesh/pipeline/kafka-client";
import { type DeviceMessage, identityOf, type SensorName } from "@devicemesh/proto";

/** For tests: a separate topic on real brokers. */
export type TestTopic = {
  readonly topic: string;
  /** Creates it with append time, like the operator. */
  create(): Promise<void>;
  /** Appends a record. */
  append(record: { readonly key: string; readonly value: string }): Promise<void>;
  /** Returns every message in it, by partition in order; duplicates are included by default. */
  readAll(options?: { readonly duplicates?: boolean }): Promise<DeviceMessage[]>;
  /** Removes it, if it exists, and closes the connections. */
  remove(): Promise<void>;
};

/** A topic, not created yet. */
export function testTopic(options: {
  readonly brokers: readonly string[];
  /** Its name; random if left out. */
  readonly topic?: string;
  readonly partitions?: number;
  /** Number of replicas; all but one of them must acknowledge an append. */
  readonly replicas: number;
  readonly security?: KafkaSecurity;
}): TestTopic {
  const { brokers, topic = `ingest-test-${randomUUID()}`, partitions = 3, replicas, security } = options;
  const kafka = createKafka({ brokers, clientId: "devicemesh-ingest-test", security });
  const admin = kafka.admin();
  let connected: Promise<void> | undefined;
  const connect = () => {
    connected ??= admin.connect();
    return connected;
  };

  async function endOffsets(): Promise<Map<number, bigint>> {
    await connect();
    const offsets = await admin.fetchTopicOffsets(topic);
    return new Map(offsets.map(({ partition, high }) => [partition, BigInt(high)]));
  }

  /**
   * The end of each partition, once all have leaders and there are at least so many: after an outage some are elected
   * later than others.
   */
  async function endsWithLeaders(least = 1): Promise<Map<number, bigint>> {
    let ends = new Map<number, bigint>();
    await waitUntil(
      async () => {
        ends = await endOffsets().catch(() => new Map());
        return ends.size >= least;
      },
      { timeoutMs: 30_000, what: "the topic has its leaders" },
    );
    return ends;
  }

  return {
    topic,
    async create() {
      await connect();
      await admin.createTopics({
        // It fails on a broker that does not know the topic yet.
        waitForLeaders: false,
        topics: [
          {
            topic,
            numPartitions: partitions,
            replicationFactor: replicas,
            configEntries: [
              { name: "message.timestamp.type", value: "LogAppendTime" },
              { name: "min.insync.replicas", value: String(Math.max(replicas - 1, 1)) },
            ],
          },
        ],
      });
      await endsWithLeaders(partitions);
    },
    async append(record) {
      const producer = kafka.producer({ allowAutoTopicCreation: false });
      await producer.connect();
      await producer.send({ topic, acks: -1, messages: [record] });
      await producer.disconnect();
    },
    async readAll({ duplicates = false } = {}) {
      const ends = await endsWithLeaders();
      const found = new Map<number, DeviceMessage[]>([...ends.keys()].map((partition) => [partition, []]));
      const left = new Set([...ends].filter(([, end]) => end > 0n).map(([partition]) => partition));
      if (left.size > 0) {
        const consumer = kafka.consumer({ groupId: `${topic}-${randomUUID()}`, maxWaitTimeInMs: 100 });
        const done = Promise.withResolvers<void>();
        await consumer.connect();
        await consumer.subscribe({ topic, fromBeginning: true });
        await consumer.run({
          async eachBatch({ batch }) {
            for (const { key, value } of batch.messages) {
              found.get(batch.partition)?.push(messageOf(key, value));
            }
            if (BigInt(batch.lastOffset()) + 1n >= (ends.get(batch.partition) ?? 0n)) {
              left.delete(batch.partition);
            }
            if (left.size === 0) done.resolve();
          },
        });
        await done.promise;
        await consumer.disconnect();
      }
      const all = [...found.values()].flat();
      return duplicates ? all : firstOfEach(all);
    },
    async remove() {
      await connect();
      if ((await admin.listTopics()).includes(topic)) await admin.deleteTopics({ topics: [topic] });
      await admin.disconnect();
    },
  };
}

/** @throws Error if the record does not have the format that ingest promises to readers of the log. */
function messageOf(key: Buffer | null, value: Buffer | null): DeviceMessage {
  const text = String(value);
  const { device_id, timestamp, sensor, value: number, ...rest } = JSON.parse(text);
  const message = { deviceId: device_id, timestampMs: Date.parse(timestamp), sensor, value: number } as {
    readonly deviceId: string;
    readonly timestampMs: number;
    readonly sensor: SensorName;
    readonly value: number;
  };
  if (String(key) !== identityOf(message) || Object.keys(rest).length > 0 || typeof number !== "number") {
    throw new Error(`not a device message: ${String(key)} ${text}`);
  }
  return message;
}

function firstOfEach(messages: readonly DeviceMessage[]): DeviceMessage[] {
  const first = new Map<string, DeviceMessage>();
  for (const message of messages) {
    const identity = identityOf(message);
    if (!first.has(identity)) first.set(identity, message);
  }
  return [...first.values()];
}
