// The brokers of a cluster: the connections to them, and the produce request.
import { isIP } from "node:net";
import { type KafkaSecurity, kafkaBroker } from "@devicemesh/pipeline/kafka-client";
import { Connection, protocolErrorsCodesById, type Reader, Writer } from "@platformatic/kafka";

/** Connections to the brokers of a cluster, at most one to each, created on demand. */
export type KafkaConnections = {
  /** Returns the connection to the broker at host:port; rejects if it cannot be created. */
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
  const { clientId, requestTimeoutMs: requestTimeout, security: { tls, sasl } = {} } = options;
  const open = new Map<string, { readonly connection: Connection; readonly ready: Promise<Connection> }>();
  let known: readonly string[] = options.brokers;
  let isClosed = false;

  function connect(address: string): Promise<Connection> {
    const { host, port } = kafkaBroker(address);
    const connection = new Connection(clientId, {
      connectTimeout: connectTimeoutMs,
      requestTimeout,
      maxInflights: requestsMax,
      ...(tls && { tls: { ...tls }, tlsServerName: isIP(host) === 0 }),
      ...(sasl && { sasl: { ...sasl } }),
    });
    const forget = (): void => {
      if (open.get(address)?.connection === connection) open.delete(address);
    };
    connection.on("close", forget);
    connection.on("error", forget);
    const ready = Promise.resolve(connection.connect(host, port)).then(() => {
      connection.socket.setKeepAlive(true, keepAliveDelayMs);
      return connection;
    });
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

const produceKey = 0;
/** A version with tagged fields; every broker supports it since 2.8. */
const produceVersion = 9;

/**
 * Sends record batches for partitions of one topic in one request, unchanged, with acks=all. Rejects if there is no
 * response. Source of the format: https://kafka.apache.org/protocol#The_Messages_Produce
 */
export function sendProduce(
  connection: Connection,
  request: {
    readonly topic: string;
    /** How long the leaders may wait for their replicas. */
    readonly timeoutMs: number;
    readonly batches: readonly PartitionBatch[];
  },
): Promise<ProduceAnswer> {
  const { topic, timeoutMs, batches } = request;
  const { promise, resolve, reject } = Promise.withResolvers<ProduceAnswer>();
  const write = (): Writer =>
    Writer.create()
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
  const read = (_correlation: number, _key: number, _version: number, reader: Reader): ProduceAnswer =>
    readAnswer(reader, topic);
  connection.send(produceKey, produceVersion, write, read, true, true, (error, answer) => {
    if (error || !answer) reject(error ?? new Error("the broker answered nothing"));
    else resolve(answer);
  });
  return promise;
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
