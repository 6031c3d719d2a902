import { connect, type Socket } from "node:net";
import { Kafka, logLevel } from "kafkajs";

/** A kafkajs client that logs nothing itself: its user logs what matters. */
export function createKafka(options: {
  /** host:port of each broker that is asked first. */
  readonly brokers: readonly string[];
  readonly clientId: string;
  /** How long a connection may take to be made, in ms. */
  readonly connectTimeoutMs?: number;
  /** How long a request may take, in ms. */
  readonly requestTimeoutMs?: number;
  /** How often the client itself tries again what failed; 0 for callers that do it themselves. */
  readonly retries?: number;
  /** Gets each connection that is made: destroying it ends the requests on it, which the client itself cannot. */
  readonly onSocket?: (socket: Socket) => void;
}): Kafka {
  const { brokers, clientId, connectTimeoutMs = 2000, requestTimeoutMs = 15_000, retries = 5 } = options;
  const { onSocket } = options;
  return new Kafka({
    brokers: [...brokers],
    clientId,
    connectionTimeout: connectTimeoutMs,
    requestTimeout: requestTimeoutMs,
    logLevel: logLevel.NOTHING,
    retry: { initialRetryTime: 100, maxRetryTime: 2000, retries },
    ...(onSocket && {
      socketFactory({ host, port, onConnect }) {
        const socket = connect({ host, port }, onConnect);
        socket.setKeepAlive(true, keepAliveDelayMs);
        onSocket(socket);
        return socket;
      },
    }),
  });
}

/** As kafkajs has it. */
const keepAliveDelayMs = 60_000;
