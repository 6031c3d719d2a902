import { connect, isIP, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { Kafka, logLevel, type Mechanism, type SASLOptions } from "kafkajs";
import { rejectedCredentials } from "./kafka-security-error.ts";

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
      /** The file of the token, as an absolute path. */
      readonly tokenFile: string;
      /**
       * Reads the file; called for each authentication, so that the token may be replaced.
       * @throws KafkaSecurityError if the token has expired or cannot be read.
       */
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
    reauthenticationThreshold: reauthenticateBeforeMs,
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
    ...(sasl && {
      sasl: { ...sasl, ...(sasl.mechanism === "OAUTHBEARER" && { authBytesValidator: acceptedOrRejected }) },
    }),
  };
}

/** A broker answers an accepted token with nothing, and a rejected one with the reason, without a code of an error. */
function acceptedOrRejected(answer: Buffer, done: (error: Error | null, answer: Buffer) => void): void {
  done(answer.length > 0 ? new Error(String(answer)) : null, answer);
}

/**
 * How long before the end of its session a client authenticates again. Within it every request does, which brokers
 * reject within a second of the last time; the default of kafkajs is ten seconds.
 */
const reauthenticateBeforeMs = 900;

/** As kafkajs has it. */
const keepAliveDelayMs = 60_000;

function kafkajsSasl(sasl: KafkaSasl): SASLOptions | Mechanism {
  if (sasl.mechanism === "OAUTHBEARER") return kafkajsBearer(sasl.token);
  const { mechanism, username, password } = sasl;
  const names = {
    PLAIN: "plain",
    "SCRAM-SHA-256": "scram-sha-256",
    "SCRAM-SHA-512": "scram-sha-512",
  } as const;
  return { mechanism: names[mechanism], username, password } as SASLOptions;
}

/** The one of kafkajs takes a rejected token for accepted, and then reports a closed connection. */
function kafkajsBearer(token: () => Promise<string>): Mechanism {
  return {
    mechanism: "oauthbearer",
    authenticationProvider: ({ saslAuthenticate }) => ({
      async authenticate() {
        const send = (text: string) =>
          saslAuthenticate<string>({
            request: { encode: () => withLength(text) },
            response: { decode: (answer) => answer.subarray(lengthBytes), parse: String },
          });
        const rejection = await send(`n,,\u0001auth=Bearer ${await token()}\u0001\u0001`);
        if (!rejection) return;
        // The broker ends the exchange after this.
        await send("\u0001").catch(() => {});
        throw rejectedCredentials(rejection);
      },
    }),
  };
}

const lengthBytes = 4;

function withLength(text: string): Buffer {
  const bytes = Buffer.alloc(lengthBytes + Buffer.byteLength(text));
  bytes.writeInt32BE(bytes.length - lengthBytes);
  bytes.write(text, lengthBytes);
  return bytes;
}
