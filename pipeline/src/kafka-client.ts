import { connect, isIP, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { Kafka, logLevel, type SASLOptions } from "kafkajs";

/** How a client proves who it is, and how it knows the brokers; cleartext without authentication if empty. */
export type KafkaSecurity = {
  /** PEM: the CA of the brokers (that of the system if left out), and the client's certificate, if it has one. */
  readonly tls?: { readonly ca?: string; readonly cert?: string; readonly key?: string };
  readonly sasl?: KafkaSasl;
};

/** The mechanisms of SASL that brokers and both clients have. */
export type KafkaSasl =
  | {
      readonly mechanism: "PLAIN" | "SCRAM-SHA-256" | "SCRAM-SHA-512";
      readonly username: string;
      readonly password: string;
    }
  | {
      readonly mechanism: "OAUTHBEARER";
      /** Is asked for each connection, so that a token may be replaced. */
      readonly token: () => Promise<string>;
    };

/** A kafkajs client without log output: its user logs what matters. */
export function createKafka(options: {
  /** host:port of each bootstrap broker. */
  readonly brokers: readonly string[];
  readonly clientId: string;
  readonly security?: KafkaSecurity | undefined;
  /** How long a connection may take to be made, in ms. */
  readonly connectTimeoutMs?: number;
  /** Time limit of a request, in ms. */
  readonly requestTimeoutMs?: number;
  /** Number of retries by the client itself; 0 for callers that retry. */
  readonly retries?: number;
  /** Receives each new connection: destroying it ends its requests, which the client itself cannot. */
  readonly onSocket?: (socket: Socket) => void;
}): Kafka {
  const { brokers, clientId, connectTimeoutMs = 2000, requestTimeoutMs = 15_000, retries = 5 } = options;
  const { onSocket, security: { tls, sasl } = {} } = options;
  return new Kafka({
    brokers: [...brokers],
    clientId,
    connectionTimeout: connectTimeoutMs,
    requestTimeout: requestTimeoutMs,
    logLevel: logLevel.NOTHING,
    retry: { initialRetryTime: 100, maxRetryTime: 2000, retries },
    ...(tls && { ssl: { ...tls } }),
    ...(sasl && { sasl: kafkajsSasl(sasl) }),
    ...(onSocket && {
      socketFactory({ host, port, onConnect }) {
        const servername = isIP(host) ? {} : { servername: host };
        const socket = tls
          ? connectTls({ ...tls, ...servername, host, port }, onConnect)
          : connect({ host, port }, onConnect);
        socket.setKeepAlive(true, keepAliveDelayMs);
        onSocket(socket);
        return socket;
      },
    }),
  });
}

/** The two parts of host:port, also of [::1]:9092. */
export function kafkaBroker(address: string): { readonly host: string; readonly port: number } {
  const colon = address.lastIndexOf(":");
  return { host: address.slice(0, colon).replace(/^\[|\]$/g, ""), port: Number(address.slice(colon + 1)) };
}

/** Returns the options of a connection of @platformatic/kafka to a host; empty for cleartext without authentication. */
export function connectionSecurity(host: string, security: KafkaSecurity | undefined) {
  const { tls, sasl } = security ?? {};
  return {
    // Node sends no server name by itself, and none may be an IP address.
    ...(tls && { tls: { ...tls }, tlsServerName: isIP(host) === 0 }),
    ...(sasl && { sasl: { ...sasl } }),
  };
}

/** As kafkajs has it. */
const keepAliveDelayMs = 60_000;

function kafkajsSasl(sasl: KafkaSasl): SASLOptions {
  if (sasl.mechanism === "OAUTHBEARER") {
    const { token } = sasl;
    return { mechanism: "oauthbearer", oauthBearerProvider: async () => ({ value: await token() }) };
  }
  const { mechanism, username, password } = sasl;
  const names = {
    PLAIN: "plain",
    "SCRAM-SHA-256": "scram-sha-256",
    "SCRAM-SHA-512": "scram-sha-512",
  } as const;
  return { mechanism: names[mechanism], username, password } as SASLOptions;
}
