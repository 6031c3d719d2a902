import type { Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { withinTime } from "@devicemesh/kit/async/time-limit";
import { closeOnce } from "@devicemesh/kit/lifetime/close-once";
import { type RpcError, unavailable } from "@devicemesh/kit/rpc/rpc-error";
import {
  BrokerError,
  createKafkaBrokers,
  type KafkaBrokersOptions,
} from "@devicemesh/pipeline/kafka-brokers";
import { type Connection, initProducerIdV4, produceV9, ResponseError, Writer } from "@platformatic/kafka";
import type { PartitionedTopic, TopicState } from "./partitioned-topic.ts";

/** Maximum bytes of batches in one request, unless one batch is larger; brokers accept 100 MiB by default. */
const requestBytesMax = 8 * 1024 * 1024;

type Outcome = Awaited<ReturnType<PartitionedTopic["send"]>>;

type Pending = {
  readonly partition: number;
  readonly batch: Buffer;
  resolve(outcome: Outcome): void;
  reject(error: RpcError): void;
};

/** The batches for one broker. */
type Outbox = { pending: Pending[]; scheduled: boolean; notBeforeMs: number };

/**
 * A topic of Kafka. A batch counts as appended when every in-sync replica has it (acks=all). The batches of one iteration of
 * the event loop go to their leader in one request. It does not retry: the sender does.
 */
export function createKafkaTopic(
  options: KafkaBrokersOptions & { readonly topic: string },
): PartitionedTopic {
  const { topic, requestTimeoutMs } = options;
  const brokers = createKafkaBrokers(options);
  // A broker answers the requests of a connection in order: metadata would wait for replicas that are slow.
  const control = createKafkaBrokers(options);
  const outboxes = new Map<string, Outbox>();
  /** host:port of the leader of each partition. */
  let leaders: (string | undefined)[] = [];
  let describing: Promise<TopicState> | undefined;
  const close = closeOnce(async () => {
    await Promise.all([brokers.close(), control.close()]);
  });

  /** Runs a request to the brokers with a time limit, and translates its errors. */
  async function reach<Answer>(what: string, work: () => Promise<Answer>): Promise<Answer> {
    try {
      return await withinTime(work(), { ms: requestTimeoutMs + 10_000, what });
    } catch (error) {
      throw unreachable(error, topic);
    }
  }

  function describe(): Promise<TopicState> {
    describing ??= control
      .leadersOf(topic)
      .then((found) => {
        leaders = found;
        const leaderless = [...found.keys()].filter((partition) => found[partition] === undefined);
        return { partitions: found.length, leaderless };
      })
      .finally(() => {
        describing = undefined;
      });
    return describing;
  }

  async function leaderOf(partition: number): Promise<string> {
    await describe();
    const leader = leaders[partition];
    if (leader === undefined) throw new BrokerError(leaderNotAvailable);
    return leader;
  }

  function settle(sent: Pending, answer: produceV9.ProduceResponsePartition | undefined): void {
    const error = errorOf(answer);
    const type = error instanceof BrokerError ? error.type : "";
    if (error === undefined || type === "DUPLICATE_SEQUENCE_NUMBER") sent.resolve("appended");
    else if (producerLost.has(type)) sent.resolve("producer lost");
    else {
      if (leaderMoved.has(type)) leaders[sent.partition] = undefined;
      sent.reject(unreachable(error, topic));
    }
  }

  async function sendBatches(address: string, outbox: Outbox, sent: readonly Pending[]): Promise<void> {
    try {
      const connection = await brokers.to(address);
      const { responses, throttleTimeMs } = await produce(connection, { topic, requestTimeoutMs, sent });
      if (throttleTimeMs > 0) outbox.notBeforeMs = performance.now() + throttleTimeMs;
      const answers = responses.find(({ name }) => name === topic)?.partitionResponses ?? [];
      for (const one of sent)
        settle(
          one,
          answers.find(({ index }) => index === one.partition),
        );
    } catch (error) {
      brokers.drop(address);
      for (const one of sent) {
        leaders[one.partition] = undefined;
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

  return {
    describe: () => reach("the description of the topic", describe),
    openProducer: () =>
      reach("a producer", async () => {
        const { producerId: id, producerEpoch: epoch } = await control.ask((connection) =>
          initProducerIdV4.api.async(connection, null, 0, undefined, undefined),
        );
        return { id, epoch };
      }),
    async send(partition, batch) {
      const address =
        leaders[partition] ?? (await reach("the leader of a partition", () => leaderOf(partition)));
      const outbox = outboxes.get(address) ?? { pending: [], scheduled: false, notBeforeMs: 0 };
      outboxes.set(address, outbox);
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

/**
 * Sends batches in one request with acks=all. The response may have an error for each. The client would copy the batches
 * into new memory, which costs a third of a reading's CPU, so it sends the head only, and they follow as they are.
 * Source of the format: https://kafka.apache.org/protocol#The_Messages_Produce
 */
function produce(
  connection: Connection,
  request: {
    readonly topic: string;
    readonly requestTimeoutMs: number;
    readonly sent: readonly Pending[];
  },
): Promise<produceV9.ProduceResponse> {
  const { topic, requestTimeoutMs, sent } = request;
  const { promise, resolve, reject } = Promise.withResolvers<produceV9.ProduceResponse>();
  const { key, version } = produceV9.api;
  const head = (): Writer =>
    Writer.create()
      .appendString(null)
      .appendInt16(-1)
      // The broker should report first that the replicas take too long.
      .appendInt32(Math.ceil(requestTimeoutMs * 0.8))
      .appendUnsignedVarInt(1 + 1) // topics; an array has its length plus one
      .appendString(topic)
      .appendUnsignedVarInt(sent.length + 1);
  const rest = sent.flatMap(({ partition, batch }) => {
    const entry = Writer.create()
      .appendInt32(partition)
      .appendUnsignedVarInt(batch.length + 1).buffer;
    return [entry, batch, noTaggedFields];
  });
  rest.push(noTaggedFields, noTaggedFields);
  withMore(connection.socket, rest, () =>
    connection.send(key, version, head, produceV9.parseResponse, true, true, (error, response) => {
      if (error instanceof ResponseError) resolve(error.response as produceV9.ProduceResponse);
      else if (error) reject(error);
      else resolve(response as produceV9.ProduceResponse);
    }),
  );
  return promise;
}

/** Adds more bytes to the request that the client writes during `send`, and to its length. */
function withMore(socket: Socket, more: readonly Buffer[], send: () => void): void {
  const bytes = more.reduce((sum, { length }) => sum + length, 0);
  const write = socket.write.bind(socket);
  socket.cork();
  socket.write = (request: Buffer) => {
    request.writeInt32BE(request.readInt32BE() + bytes);
    write(request);
    for (const part of more) write(part);
    return true;
  };
  send();
  Reflect.deleteProperty(socket, "write");
  socket.uncork();
}

/** Ends a structure of the protocol. */
const noTaggedFields = Buffer.from([0]);

function errorOf(answer: produceV9.ProduceResponsePartition | undefined): Error | undefined {
  if (answer === undefined) return new Error("no answer for the partition");
  if (answer.errorCode !== 0) return new BrokerError(answer.errorCode);
  // Without an offset there is no proof that the log has the batch.
  return answer.baseOffset < 0n ? new Error("an answer without an offset") : undefined;
}

const leaderNotAvailable = 5;

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
