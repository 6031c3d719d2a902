import { isIP } from "node:net";
import { type KafkaSecurity, kafkaBroker } from "@devicemesh/pipeline/kafka-client";
import { Connection } from "@platformatic/kafka";

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
