import { setTimeout as delay } from "node:timers/promises";
import { withinTime } from "@devicemesh/kit/async/time-limit";
import { closeOnce } from "@devicemesh/kit/lifetime/close-once";
import { type RpcError, unavailable } from "@devicemesh/kit/rpc/rpc-error";
import type { KafkaSecurity } from "@devicemesh/pipeline/kafka-client";
import { type Connection, initProducerIdV4, metadataV9, ResponseError } from "@platformatic/kafka";
import {
  createKafkaConnections,
  createProduceRequests,
  errorName,
  type PartitionBatch,
  type ProduceRequests,
} from "./kafka-connections.ts";
import type { PartitionedTopic, TopicState } from "./partitioned-topic.ts";

/** Time limit for closing connections; after it, the end of the process closes them. */
const closeLimitMs = 5000;

/** Maximum bytes of batches in one request, unless one batch is larger; brokers accept 100 MiB by default. */
const requestBytesMax = 8 * 1024 * 1024;

type Outcome = Awaited<ReturnType<PartitionedTopic["send"]>>;

type Pending = PartitionBatch & { resolve(outcome: Outcome): void; reject(error: RpcError): void };

/** The batches for one broker. */
type Outbox = { pending: Pending[]; scheduled: boolean; notBeforeMs: number };

/**
 * A topic of Kafka. A batch counts as appended when every in-sync replica has it (acks=all). The batches of one iteration of
 * the event loop go to their leader in one request. It does not retry: the sender does.
 */
export function createKafkaTopic(options: {
  /** host:port of each bootstrap broker. */
  readonly brokers: readonly string[];
  readonly topic: string;
  readonly clientId: string;
  /** Time limit of a request, in ms. */
  readonly requestTimeoutMs: number;
  readonly security?: KafkaSecurity | undefined;
}): PartitionedTopic {
  const { topic, clientId, requestTimeoutMs } = options;
  const connections = createKafkaConnections(options);
  // A broker answers the requests of a connection in order: metadata would wait for replicas that are slow.
  const control = createKafkaConnections(options);
  const requests = new WeakMap<Connection, ProduceRequests>();
  const outboxes = new Map<string, Outbox>();
  /** host:port of the leader of each partition. */
  let leaders = new Map<number, string>();
  let describing: Promise<TopicState> | undefined;
  const close = closeOnce(() =>
    withinTime(Promise.all([connections.close(), control.close()]), {
      ms: closeLimitMs,
      what: "the end of the connections",
    }).then(
      () => {},
      () => {},
    ),
  );

  /** Runs a request to the brokers with a time limit, and translates its errors. */
  async function reach<Answer>(what: string, work: () => Promise<Answer>): Promise<Answer> {
    try {
      if (close.isClosing) throw new Error("the connection is closed");
      return await withinTime(work(), { ms: requestTimeoutMs + 10_000, what });
    } catch (error) {
      throw unreachable(error, topic);
    }
  }

  async function askMetadata(): Promise<TopicState> {
    const { brokers, topics } = await control.askAny((connection) =>
      metadataV9.api.async(connection, [topic], false, false, false).catch((error: unknown) => {
        // Also thrown for a partition without a leader; the response names it.
        if (error instanceof ResponseError) return error.response as metadataV9.MetadataResponse;
        throw error;
      }),
    );
    const addresses = new Map(brokers.map(({ nodeId, host, port }) => [nodeId, `${host}:${port}`]));
    control.learn([...addresses.values()]);
    const found = topics.find(({ name }) => name === topic);
    if (found === undefined) throw brokerError("UNKNOWN_TOPIC_OR_PARTITION");
    if (found.errorCode !== 0) throw brokerError(errorName(found.errorCode));
    if (found.partitions.length === 0) throw new Error("the topic has no partitions");
    const leaderless: number[] = [];
    leaders = new Map();
    for (const { partitionIndex, leaderId } of found.partitions) {
      const address = addresses.get(leaderId);
      if (address === undefined) leaderless.push(partitionIndex);
      else leaders.set(partitionIndex, address);
    }
    return { partitions: found.partitions.length, leaderless };
  }

  function describe(): Promise<TopicState> {
    describing ??= askMetadata().finally(() => {
      describing = undefined;
    });
    return describing;
  }

  async function leaderOf(partition: number): Promise<string> {
    await describe();
    const leader = leaders.get(partition);
    if (leader === undefined) throw brokerError("LEADER_NOT_AVAILABLE");
    return leader;
  }

  function settle(sent: Pending, error: string | undefined): void {
    if (error === undefined || error === "DUPLICATE_SEQUENCE_NUMBER") sent.resolve("appended");
    else if (producerLost.has(error)) sent.resolve("producer lost");
    else {
      if (leaderMoved.has(error)) leaders.delete(sent.partition);
      sent.reject(unreachable(brokerError(error), topic));
    }
  }

  function requestsOf(connection: Connection): ProduceRequests {
    const known = requests.get(connection);
    if (known) return known;
    // The broker should report first that the replicas take too long.
    const replicasTimeoutMs = Math.ceil(requestTimeoutMs * 0.8);
    const created = createProduceRequests(connection, {
      clientId,
      topic,
      requestTimeoutMs,
      replicasTimeoutMs,
    });
    requests.set(connection, created);
    return created;
  }

  async function sendBatches(address: string, outbox: Outbox, sent: readonly Pending[]): Promise<void> {
    try {
      const { errors, throttleMs } = await requestsOf(await connections.to(address)).send(sent);
      if (throttleMs > 0) outbox.notBeforeMs = performance.now() + throttleMs;
      for (const one of sent) {
        settle(one, errors.has(one.partition) ? errors.get(one.partition) : "no answer for the partition");
      }
    } catch (error) {
      connections.drop(address);
      for (const one of sent) {
        leaders.delete(one.partition);
        one.reject(unreachable(error, topic));
      }
    }
  }

  async function flush(address: string, outbox: Outbox): Promise<void> {
    const waitMs = outbox.notBeforeMs - performance.now();
    if (waitMs > 0) await delay(waitMs);
    outbox.scheduled = false;
    const { pending } = outbox;
    outbox.pending = [];
    for (let first = 0, end = 0; first < pending.length; first = end) {
      for (let bytes = 0; end < pending.length; end++) {
        bytes += pending[end]?.batch.length ?? 0;
        if (end > first && bytes > requestBytesMax) break;
      }
      void sendBatches(address, outbox, pending.slice(first, end));
    }
  }

  function outboxOf(address: string): Outbox {
    const known = outboxes.get(address);
    if (known) return known;
    const outbox = { pending: [], scheduled: false, notBeforeMs: 0 };
    outboxes.set(address, outbox);
    return outbox;
  }

  return {
    describe: () => reach("the description of the topic", describe),
    openProducer: () =>
      reach("a producer", async () => {
        const { producerId, producerEpoch } = await control.askAny((connection) =>
          initProducerIdV4.api.async(connection, null, 0, undefined, undefined),
        );
        return { id: producerId, epoch: producerEpoch };
      }),
    async send(partition, batch) {
      const known = close.isClosing ? undefined : leaders.get(partition);
      const address = known ?? (await reach("the leader of a partition", () => leaderOf(partition)));
      const outbox = outboxOf(address);
      const { promise, resolve, reject } = Promise.withResolvers<Outcome>();
      outbox.pending.push({ partition, batch, resolve, reject });
      if (!outbox.scheduled) {
        outbox.scheduled = true;
        setImmediate(() => void flush(address, outbox));
      }
      return promise;
    },
    close,
  };
}

/** The broker has lost the producer, or misses one of its batches: only a new producer can continue. */
const producerLost: ReadonlySet<string> = new Set([
  "OUT_OF_ORDER_SEQUENCE_NUMBER",
  "INVALID_PRODUCER_EPOCH",
  "UNKNOWN_PRODUCER_ID",
]);

const leaderMoved: ReadonlySet<string> = new Set([
  "UNKNOWN_TOPIC_OR_PARTITION",
  "LEADER_NOT_AVAILABLE",
  "NOT_LEADER_OR_FOLLOWER",
  "KAFKA_STORAGE_ERROR",
  "FENCED_LEADER_EPOCH",
]);

function brokerError(type: string): Error {
  return Object.assign(new Error(`the broker returned ${type}`), { type });
}

/** The part of a failure for callers: without addresses. The cause is the innermost one, which is the most specific. */
function unreachable(error: unknown, topic: string): RpcError {
  let cause = error;
  while (cause instanceof Error && cause.cause instanceof Error) cause = cause.cause;
  const type = cause instanceof Error && "type" in cause ? cause.type : undefined;
  let message = type === undefined ? "the message log cannot be reached" : `the message log returned ${type}`;
  if (type === "UNKNOWN_TOPIC_OR_PARTITION") {
    message = `the message log has no topic ${topic} yet: the operator creates it`;
  }
  return unavailable({ message, retryDelayMs: 1000, cause });
}
