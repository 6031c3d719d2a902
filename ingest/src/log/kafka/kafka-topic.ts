import { TimeLimitError, withinTime } from "@devicemesh/kit/async/time-limit";
import { unavailable } from "@devicemesh/kit/rpc/rpc-error";
import { createKafka } from "@devicemesh/pipeline/kafka-client";
import type { Admin, Producer, RecordMetadata } from "kafkajs";
import type { PartitionedTopic } from "./partitioned-topic.ts";

/** How long connections may take to close; then the end of the process closes them. */
const closeLimitMs = 5000;

/**
 * A topic of Kafka. A record counts as appended when every in-sync replica has it (acks=all). The client makes its
 * connections by itself, and again whenever they were lost. Nothing is resent here: the sender does that.
 */
export function createKafkaTopic(options: {
  /** host:port of each broker that is asked first. */
  readonly brokers: readonly string[];
  readonly topic: string;
  readonly clientId: string;
  /** How long a request may take, in ms. */
  readonly requestTimeoutMs: number;
}): PartitionedTopic {
  const { brokers, topic, clientId, requestTimeoutMs } = options;
  // kafkajs' own retries would send to partitions that moved and not say what they left out.
  const kafka = createKafka({ brokers, clientId, requestTimeoutMs, retries: 0 });
  let producer: Promise<Producer> | undefined;
  let admin: Promise<Admin> | undefined;
  let closing: Promise<void> | undefined;

  async function connectProducer(): Promise<Producer> {
    const created = kafka.producer({
      allowAutoTopicCreation: false,
      // Concurrent sends of an idempotent kafkajs producer can be lost in silence; repeats do no harm.
      idempotent: false,
      retry: { retries: 0 },
      createPartitioner:
        () =>
        ({ message }) =>
          message.partition as number,
    });
    try {
      await created.connect();
    } catch (error) {
      producer = undefined;
      throw error;
    }
    return created;
  }

  async function connectAdmin(): Promise<Admin> {
    const created = kafka.admin({ retry: { retries: 0 } });
    try {
      await created.connect();
    } catch (error) {
      admin = undefined;
      throw error;
    }
    return created;
  }

  // A request, and what may have to come before it: connections, metadata. The client has time-outs of its own for
  // each; this is for what it forgets.
  const limitMs = 3 * requestTimeoutMs + 10_000;

  async function closeProducer(): Promise<void> {
    const old = producer;
    producer = undefined;
    await old?.then((one) => one.disconnect()).catch(() => {});
  }

  async function closeAdmin(): Promise<void> {
    const old = admin;
    admin = undefined;
    await old?.then((one) => one.disconnect()).catch(() => {});
  }

  function unreachable(error: unknown) {
    return unavailable({ message: explained(error, topic), retryDelayMs: 1000, cause: error });
  }

  return {
    async describe() {
      try {
        if (closing) throw new Error("the connection is closed");
        admin ??= connectAdmin();
        const asked = admin.then((one) => one.fetchTopicMetadata({ topics: [topic] }));
        const { topics } = await withinTime(asked, { ms: limitMs, what: "the description of the topic" });
        const partitions = topics.find(({ name }) => name === topic)?.partitions ?? [];
        if (partitions.length === 0) throw new Error("the topic has no partitions");
        return {
          partitions: partitions.length,
          leaderless: partitions.filter(({ leader }) => leader < 0).map(({ partitionId }) => partitionId),
        };
      } catch (error) {
        // A fresh one finds its way by the brokers that are asked first.
        void closeAdmin();
        throw unreachable(error);
      }
    },
    async send(partition, records) {
      try {
        if (closing) throw new Error("the connection is closed");
        producer ??= connectProducer();
        const sent = producer.then((one) =>
          one.send({
            topic,
            acks: -1,
            // The broker should be the first to say that the replicas take too long.
            timeout: Math.ceil(requestTimeoutMs * 0.8),
            messages: records.map(({ key, value }) => ({ key, value, partition })),
          }),
        );
        const metadata = await withinTime(sent, { ms: limitMs, what: "the records" });
        if (!covers(metadata, { topic, partition })) throw new Error("the answer leaves out the partition");
      } catch (error) {
        if (error instanceof TimeLimitError) void closeProducer();
        throw unreachable(error);
      }
    },
    close() {
      const closed = Promise.all([closeProducer(), closeAdmin()]).then(() => {});
      closing ??= withinTime(closed, { ms: closeLimitMs, what: "the end of the connections" }).catch(
        () => {},
      );
      return closing;
    },
  };
}

/** Whether the answer to a send says that the log has the records of this partition. kafkajs may leave partitions out. */
export function covers(
  metadata: readonly (RecordMetadata | null)[],
  { topic, partition }: { readonly topic: string; readonly partition: number },
): boolean {
  return metadata.some(
    (one) =>
      one !== null &&
      one.topicName === topic &&
      one.partition === partition &&
      one.errorCode === 0 &&
      one.baseOffset !== undefined &&
      BigInt(one.baseOffset) >= 0n,
  );
}

/** What callers may know of a failure: no addresses. */
function explained(error: unknown, topic: string): string {
  const type = protocolErrorOf(error);
  if (type === "UNKNOWN_TOPIC_OR_PARTITION") {
    return `the message log has no topic ${topic} yet: the operator creates it`;
  }
  return type === undefined ? "the message log cannot be reached" : `the message log returned ${type}`;
}

function protocolErrorOf(error: unknown): string | undefined {
  for (let one = error; one instanceof Error; one = one.cause) {
    if ("type" in one && typeof one.type === "string") return one.type;
  }
  return undefined;
}
