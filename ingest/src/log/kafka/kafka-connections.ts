// The brokers of a cluster: the connections to them, and the produce requests.
import { connectionSecurity, type KafkaSecurity, kafkaBroker } from "@devicemesh/pipeline/kafka-client";
import { namedKafkaError } from "@devicemesh/pipeline/kafka-security-error";
import { Connection, protocolErrorsCodesById, Reader, Writer } from "@platformatic/kafka";

/** Connections to the brokers of a cluster, at most one to each, created on demand. */
export type KafkaConnections = {
  /**
   * Returns the connection to the broker at host:port; rejects if it cannot be created, with KafkaSecurityError if TLS or
   * SASL is the cause.
   */
  to(address: string): Promise<Connection>;
  /** Closes the connection to a broker that did not answer correctly. */
  drop(address: string): void;
  /** Adds brokers for `askAny`. */
  learn(addresses: readonly string[]): void;
  /** Resolves to the first response of any broker; rejects like the last one if none responds. */
  askAny<Answer>(ask: (connection: Connection) => Promise<Answer>): Promise<Answer>;
  /** Closes all; their requests reject. */
  close(): Promise<void>;
};

const connectTimeoutMs = 5000;
const keepAliveDelayMs = 60_000;

/** Maximum number of concurrent requests of one connection. A broker answers them in order. */
const requestsMax = 5;

/** Creates a set without connections. */
export function createKafkaConnections(options: {
  /** host:port of each bootstrap broker. */
  readonly brokers: readonly string[];
  readonly clientId: string;
  /** Time limit of a request, in ms. After it, its connection is closed. */
  readonly requestTimeoutMs: number;
  readonly security?: KafkaSecurity | undefined;
}): KafkaConnections {
  const { clientId, requestTimeoutMs: requestTimeout, security } = options;
  const open = new Map<string, { readonly connection: Connection; readonly ready: Promise<Connection> }>();
  let known: readonly string[] = options.brokers;
  let isClosed = false;

  function connect(address: string): Promise<Connection> {
    const { host, port } = kafkaBroker(address);
    const connection = new Connection(clientId, {
      connectTimeout: connectTimeoutMs,
      requestTimeout,
      maxInflights: requestsMax,
      ...connectionSecurity(host, security),
    });
    const forget = (): void => {
      if (open.get(address)?.connection === connection) open.delete(address);
    };
    connection.on("close", forget);
    connection.on("error", forget);
    const ready = Promise.resolve(connection.connect(host, port)).then(
      () => {
        connection.socket.setKeepAlive(true, keepAliveDelayMs);
        return connection;
      },
      (error: unknown) => {
        throw namedKafkaError(error);
      },
    );
    open.set(address, { connection, ready });
    ready.catch(forget);
    return ready;
  }

  async function to(address: string): Promise<Connection> {
    if (isClosed) throw new Error("the connections are closed");
    return open.get(address)?.ready ?? connect(address);
  }

  function drop(address: string): void {
    const dropped = open.get(address);
    open.delete(address);
    dropped?.connection.close().catch(() => {});
  }

  return {
    to,
    drop,
    learn(addresses) {
      known = [
        ...new Set([...known.filter((one) => addresses.includes(one)), ...addresses, ...options.brokers]),
      ];
    },
    async askAny(ask) {
      let failure: unknown;
      for (const address of known) {
        try {
          return await ask(await to(address));
        } catch (error) {
          failure = error;
          drop(address);
          // The others come first, the next time.
          known = [...known.filter((one) => one !== address), address];
        }
      }
      throw failure;
    },
    async close() {
      isClosed = true;
      const closing = [...open.values()].map(({ connection }) => connection.close().catch(() => {}));
      open.clear();
      await Promise.all(closing);
    },
  };
}

/** A record batch for a partition. */
export type PartitionBatch = { readonly partition: number; readonly batch: Buffer };

/** A broker's response to a produce request. */
export type ProduceAnswer = {
  /** The name of the error by partition; undefined if the batch was appended. */
  readonly errors: ReadonlyMap<number, string | undefined>;
  /** Delay before the next request that the broker requires, in ms. */
  readonly throttleMs: number;
};

/** The produce requests of a connection. */
export type ProduceRequests = {
  /**
   * Sends record batches for partitions of the topic in one request, unchanged, with acks=all. Rejects if there is no
   * response in time. After that the connection is closed, so that it does not read the batches any more.
   */
  send(batches: readonly PartitionBatch[]): Promise<ProduceAnswer>;
};

const produceKey = 0;
/** A version with tagged fields; every broker supports it since 2.8. */
const produceVersion = 9;
/** The ids of these requests; the client's own requests on the connection are authentications, counted from 1. */
const firstId = 2 ** 30;
const idsEnd = 2 ** 31;
/** A size, and an id. */
const responseHeadBytes = 8;

/**
 * Sends requests over an open connection, with the memory of the batches: the client would copy them into new memory for
 * each request. Responses to requests of the client are passed on to it.
 * Source of the format: https://kafka.apache.org/protocol#The_Messages_Produce
 */
export function createProduceRequests(
  connection: Connection,
  options: {
    readonly clientId: string;
    readonly topic: string;
    /** Time limit of a request, in ms. */
    readonly requestTimeoutMs: number;
    /** How long the leaders may wait for their replicas, in ms. */
    readonly replicasTimeoutMs: number;
  },
): ProduceRequests {
  const { clientId, topic, requestTimeoutMs, replicasTimeoutMs } = options;
  const { socket } = connection;
  const open = new Map<number, { resolve(answer: ProduceAnswer): void; reject(error: unknown): void }>();
  let id = firstId;
  let received: Buffer = Buffer.alloc(0);

  function fail(error: unknown): void {
    socket.destroy();
    for (const request of open.values()) request.reject(error);
    open.clear();
  }

  function receive(response: Buffer): void {
    const ours = open.get(response.readInt32BE(4));
    if (ours === undefined) {
      passOn(response);
      return;
    }
    open.delete(response.readInt32BE(4));
    try {
      const reader = Reader.from(response.subarray(responseHeadBytes));
      reader.readTaggedFields();
      ours.resolve(readAnswer(reader, topic));
    } catch (error) {
      ours.reject(error);
      fail(error);
    }
  }

  function onData(chunk: Buffer): void {
    received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
    while (received.length >= responseHeadBytes) {
      const end = 4 + received.readInt32BE(0);
      if (end < responseHeadBytes) {
        fail(new Error("the broker sent a response without an id"));
        return;
      }
      if (received.length < end) return;
      const response = received.subarray(0, end);
      received = received.subarray(end);
      receive(response);
    }
  }

  const [clientListener, ...more] = socket.listeners("data");
  if (clientListener === undefined || more.length > 0)
    throw new Error("expected exactly one data listener of the Kafka client on its socket");
  const passOn = (response: Buffer): void => clientListener(response);
  socket.removeAllListeners("data").on("data", onData);
  socket.once("close", () => fail(new Error("the connection was closed")));

  return {
    async send(batches) {
      if (socket.destroyed) throw new Error("the connection was closed");
      const { promise, resolve, reject } = Promise.withResolvers<ProduceAnswer>();
      id = id + 1 < idsEnd ? id + 1 : firstId;
      open.set(id, { resolve, reject });
      const timer = setTimeout(() => fail(new Error("the broker did not answer in time")), requestTimeoutMs);
      const head = Writer.create().appendInt16(produceKey).appendInt16(produceVersion).appendInt32(id);
      head.appendString(clientId, false).appendTaggedFields();
      socket.cork();
      for (const part of partsOf(head.appendFrom(bodyOf(topic, replicasTimeoutMs, batches)), batches))
        socket.write(part);
      socket.uncork();
      return promise.finally(() => clearTimeout(timer));
    },
  };
}

function bodyOf(topic: string, timeoutMs: number, batches: readonly PartitionBatch[]): Writer {
  return Writer.create()
    .appendString(null)
    .appendInt16(-1)
    .appendInt32(timeoutMs)
    .appendArray([topic], (writer, name) => {
      writer.appendString(name).appendArray([...batches], (entry, { partition, batch }) => {
        entry
          .appendInt32(partition)
          .appendUnsignedVarInt(batch.length + 1)
          .append(batch);
      });
    })
    .appendTaggedFields();
}

/** The request in few parts: the batches as they are, and all that lies between two of them in one part. */
function partsOf(request: Writer, batches: readonly PartitionBatch[]): Buffer[] {
  const whole = new Set(batches.map(({ batch }) => batch));
  const parts: Buffer[] = [];
  let small: Buffer[] = [];
  for (const piece of request.prependLength().buffers) {
    if (!whole.has(piece)) {
      small.push(piece);
      continue;
    }
    parts.push(Buffer.concat(small), piece);
    small = [];
  }
  return [...parts, Buffer.concat(small)];
}

function readAnswer(reader: Reader, topic: string): ProduceAnswer {
  const errors = new Map<number, string | undefined>();
  reader.readArray((ofTopic) => {
    const isOurs = ofTopic.readString() === topic;
    ofTopic.readArray((ofPartition) => {
      const partition = ofPartition.readInt32();
      const code = ofPartition.readInt16();
      const baseOffset = ofPartition.readInt64();
      ofPartition.skip(16); // when it was appended, and the start of the log
      ofPartition.readArray((ofRecord) => {
        ofRecord.readInt32();
        ofRecord.readNullableString();
      });
      ofPartition.readNullableString();
      // Without an offset there is no proof that the log has the batch.
      const isUnproven = code === 0 && baseOffset < 0n;
      if (isOurs) errors.set(partition, isUnproven ? "no offset" : code === 0 ? undefined : errorName(code));
    });
  });
  return { errors, throttleMs: reader.readInt32() };
}

/** Returns the name of a protocol error. */
export function errorName(code: number): string {
  return protocolErrorsCodesById[code] ?? `error ${code}`;
}
