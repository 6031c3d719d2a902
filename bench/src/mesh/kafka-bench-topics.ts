import type { TopicDefinition } from "@devicemesh/operator";
import { createKafka } from "@devicemesh/pipeline/kafka-client";
import type { Admin, Kafka, KafkaMessage } from "kafkajs";

/** Topics of the bench on a real broker. */
export type BenchTopics = AsyncDisposable & {
  create(definitions: readonly TopicDefinition[]): Promise<void>;
  /** Returns the number of records of a topic, from the offsets of its partitions. */
  countRecords(topic: string): Promise<number>;
  /** Returns the number of different keys of its records: it reads them all. */
  countKeys(topic: string): Promise<number>;
  /** Returns the sum of `count` in a topic of partials: it reads them all. */
  sumCounts(topic: string): Promise<number>;
  remove(topics: readonly string[]): Promise<void>;
};

/** Connects to the brokers. */
export async function openBenchTopics(brokers: readonly string[]): Promise<BenchTopics> {
  const kafka = createKafka({ brokers, clientId: "devicemesh-bench" });
  const admin = kafka.admin();
  await admin.connect();
  return {
    async create(definitions) {
      await admin.createTopics({
        waitForLeaders: true,
        topics: definitions.map(({ topic, partitions, replication, settings }) => ({
          topic,
          numPartitions: partitions,
          replicationFactor: replication,
          configEntries: Object.entries(settings).map(([name, value]) => ({ name, value })),
        })),
      });
    },
    countRecords: (topic) => countRecords(admin, topic),
    async countKeys(topic) {
      // By series, so that the stored part of each key is short: its time.
      const times = new Map<string, Set<string>>();
      await readAll(kafka, topic, await countRecords(admin, topic), ({ key }) => {
        const text = String(key);
        const cut = text.lastIndexOf("|");
        const series = text.slice(0, cut);
        if (!times.has(series)) times.set(series, new Set());
        times.get(series)?.add(text.slice(cut + 1));
      });
      return [...times.values()].reduce((sum, one) => sum + one.size, 0);
    },
    async sumCounts(topic) {
      let sum = 0;
      await readAll(kafka, topic, await countRecords(admin, topic), ({ value }) => {
        sum += (JSON.parse(String(value)) as { readonly count: number }).count;
      });
      return sum;
    },
    async remove(topics) {
      await admin.deleteTopics({ topics: [...topics] });
    },
    [Symbol.asyncDispose]: () => admin.disconnect(),
  };
}

async function countRecords(admin: Admin, topic: string): Promise<number> {
  const partitions = await admin.fetchTopicOffsets(topic);
  return partitions.reduce((sum, { high, low }) => sum + Number(high) - Number(low), 0);
}

/** Time limit for reading a topic, in ms. */
const readLimitMs = 120_000;

/** Calls `each` for every one of the `records` records. @throws Error if that takes too long. */
async function readAll(
  kafka: Kafka,
  topic: string,
  records: number,
  each: (message: KafkaMessage) => void,
): Promise<void> {
  if (records === 0) return;
  const consumer = kafka.consumer({ groupId: `${topic}-bench` });
  const { promise: read, resolve, reject } = Promise.withResolvers<void>();
  const limit = setTimeout(
    () => reject(new Error(`${topic} was not read in ${readLimitMs / 1000} s`)),
    readLimitMs,
  );
  let seen = 0;
  await consumer.connect();
  try {
    await consumer.subscribe({ topic, fromBeginning: true });
    await consumer.run({
      async eachBatch({ batch }) {
        for (const message of batch.messages) each(message);
        seen += batch.messages.length;
        if (seen >= records) resolve();
      },
    });
    await read;
  } finally {
    clearTimeout(limit);
    await consumer.disconnect();
  }
}
