// The brokers of a cluster over @platformatic/kafka: connections, and where partitions are.

import { Connection, metadataV9, protocolErrorsCodesById, ResponseError } from "@platformatic/kafka";
import { connectionSecurity, type KafkaSecurity, kafkaBroker } from "./kafka-client.ts";
import { namedKafkaError } from "./kafka-security-error.ts";

/** Connections to the brokers of a cluster, at most one to each, made on demand. */
export type KafkaBrokers = {
  /**
   * Returns the connection to the broker at host:port; rejects if it cannot be made, with KafkaSecurityError if TLS or
   * SASL is the cause.
   */
  to(address: string): Promise<Connection>;
  /** Closes the connection to a broker that did not answer correctly; its requests reject. */
  drop(address: string): void;
  /** Resolves to the first response of any broker; rejects like the last one if none responds. */
  ask<Answer>(request: (connection: Connection) => Promise<Answer>): Promise<Answer>;
  /**
   * Returns host:port of the leader of each partition of a topic; undefined for a partition without one.
   * @throws BrokerError if there is no such topic.
   */
  leadersOf(topic: string): Promise<(string | undefined)[]>;
  /** Closes all; their requests reject. */
  close(): Promise<void>;
};

/** How to reach the brokers. */
export type KafkaBrokersOptions = {
  /** host:port of each bootstrap broker. */
  readonly brokers: readonly string[];
  readonly clientId: string;
  /** Time limit of a request, in ms. After it, its connection is closed. */
  readonly requestTimeoutMs: number;
  readonly security?: KafkaSecurity | undefined;
};

/** An error code of the protocol. */
export class BrokerError extends Error {
  /** Its name, such as NOT_LEADER_OR_FOLLOWER. */
  readonly type: string;

  constructor(code: number) {
    const type = protocolErrorsCodesById[code] ?? `error ${code}`;
    super(`the broker returned ${type}`);
    this.type = type;
  }
}

const connectTimeoutMs = 5000;
const keepAliveDelayMs = 60_000;
const requestsMax = 10_000;
const unknownTopic = 3;

/** Creates a set without connections. */
export function createKafkaBrokers(options: KafkaBrokersOptions): KafkaBrokers {
  const { brokers, clientId, requestTimeoutMs: requestTimeout, security } = options;
  const open = new Map<string, { readonly connection: Connection; readonly ready: Promise<Connection> }>();
  let known = brokers;
  let isClosed = false;

  function connect(address: string): Promise<Connection> {
    const { host, port } = kafkaBroker(address);
    const connection = new Connection(clientId, {
      connectTimeout: connectTimeoutMs,
      requestTimeout,
      // A request is written at once: there is at most one for each partition.
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
    const connection = open.get(address)?.connection;
    open.delete(address);
    connection?.close().catch(() => {});
    // A broker that reads nothing would delay its end.
    connection?.socket?.destroy();
  }

  async function ask<Answer>(request: (connection: Connection) => Promise<Answer>): Promise<Answer> {
    let failure: unknown;
    for (const address of known) {
      try {
        return await request(await to(address));
      } catch (error) {
        failure = error;
        drop(address);
        // The others come first, the next time.
        known = [...known.filter((one) => one !== address), address];
      }
    }
    throw failure;
  }

  return {
    to,
    drop,
    ask,
    async leadersOf(topic) {
      const metadata = await ask((connection) =>
        metadataV9.api.async(connection, [topic], false, false, false).catch((error: unknown) => {
          // Also thrown for a partition without a leader; the response names it.
          if (error instanceof ResponseError) return error.response as metadataV9.MetadataResponse;
          throw error;
        }),
      );
      const addresses = new Map(
        metadata.brokers.map(({ nodeId, host, port }) => [nodeId, `${host}:${port}`]),
      );
      const all = new Set([...addresses.values(), ...brokers]);
      known = [...new Set([...known.filter((one) => all.has(one)), ...all])];
      const found = metadata.topics.find(({ name }) => name === topic);
      if (found === undefined || found.errorCode !== 0)
        throw new BrokerError(found?.errorCode ?? unknownTopic);
      const leaders: (string | undefined)[] = [];
      for (const { partitionIndex, leaderId } of found.partitions) {
        leaders[partitionIndex] = addresses.get(leaderId);
      }
      if (leaders.length === 0) throw new Error(`the topic ${topic} has no partitions`);
      return leaders;
    },
    async close() {
      isClosed = true;
      for (const address of open.keys()) drop(address);
    },
  };
}
