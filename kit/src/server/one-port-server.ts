import * as http from "node:http";
import * as http2 from "node:http2";
import type { Socket } from "node:net";
import { ageOf, type ConnectionLimits, connectionDefaults } from "./connection-limits.ts";
import { createProtocolSockets } from "./http-protocol.ts";
import type { RunningServer } from "./running-server.ts";
import { startSocketServer } from "./socket-server.ts";
import type { TlsTermination } from "./tls-termination.ts";

/** A request of either protocol. */
export type OnePortRequest = http.IncomingMessage | http2.Http2ServerRequest;

/** The response of either protocol. */
export type OnePortResponse = http.ServerResponse | http2.Http2ServerResponse;

/** A handler of requests of both protocols, as created by `createConnectHandler`. */
export type OnePortHandler = (request: OnePortRequest, response: OnePortResponse) => void;

/** The limits of one server. Times are in milliseconds. */
export type OnePortLimits = ConnectionLimits & {
  /** Number of concurrent streams of one HTTP/2 connection. */
  readonly streamsMax: number;
  /** Time limit for all headers of an HTTP/1.1 request. */
  readonly headersTimeoutMs: number;
  /** Time limit for a whole HTTP/1.1 request, including its body. */
  readonly requestTimeoutMs: number;
};

export const onePortDefaults: OnePortLimits = {
  ...connectionDefaults,
  streamsMax: 256,
  headersTimeoutMs: 15_000,
  requestTimeoutMs: 60_000,
  idleTimeoutMs: 120_000,
};

type OnePortConfig = {
  readonly host: string;
  readonly port: number;
  readonly handler: OnePortHandler;
  readonly shutdownGraceMs: number;
  readonly limits?: Partial<OnePortLimits>;
  /** For protocols `h2` and `http/1.1`; cleartext without it. */
  readonly tls?: TlsTermination | undefined;
  /** Called once when `close` begins: set NOT_SERVING and end endless streams there. */
  onClosing?(): void;
  /** Called for each handler that threw (its caller gets 500) and for each broken connection. */
  onError?(error: unknown): void;
};

/**
 * Serves HTTP/1.1 and HTTP/2 on one port, with or without TLS: the first bytes of a connection decide. No caller and no
 * handler can end the process.
 * @throws PortInUseError, or any other error of listening.
 */
export async function startOnePortServer(config: OnePortConfig): Promise<RunningServer> {
  const limits = { ...onePortDefaults, ...config.limits };
  const onError = config.onError ?? (() => {});
  const handler = guardHandler(config.handler, onError);
  const busy = createBusyConnections();
  const http1Side = createHttp1Side(handler, limits, busy);
  const http2Side = createHttp2Side(handler, limits, busy, onError);
  const sockets = createProtocolSockets(limits.firstBytesTimeoutMs, (socket, protocol) =>
    (protocol === "http1" ? http1Side : http2Side).accept(socket),
  );
  return await startSocketServer({
    host: config.host,
    port: config.port,
    limits,
    isBusy: busy.has,
    shutdownGraceMs: config.shutdownGraceMs,
    accept: config.tls?.terminate(sockets.accept) ?? sockets.accept,
    drain() {
      config.onClosing?.();
      sockets.drain();
      http1Side.drain();
      http2Side.drain();
    },
    onError,
  });
}

/** One of the two protocols: accepts sockets, and on `drain` closes each when it is idle. */
type ProtocolSide = { accept(socket: Socket): void; drain(): void };

function createHttp1Side(
  handler: OnePortHandler,
  limits: OnePortLimits,
  busy: BusyConnections,
): ProtocolSide {
  let draining = false;
  const renewedAtMs = new WeakMap<Socket, number>();
  const server = http.createServer(
    {
      headersTimeout: limits.headersTimeoutMs,
      requestTimeout: limits.requestTimeoutMs,
      keepAliveTimeout: limits.idleTimeoutMs,
      connectionsCheckingInterval: Math.min(1000, limits.headersTimeoutMs),
    },
    (request, response) => {
      const { socket } = request;
      response.once("close", busy.begin(`${socket.remoteAddress}:${socket.remotePort}`));
      // A client opens another connection for its next request.
      if (performance.now() > (renewedAtMs.get(socket) ?? Number.POSITIVE_INFINITY))
        response.setHeader("connection", "close");
      // The connection counts as idle only after the iteration of the event loop in which the response ended.
      response.once("close", () => draining && setImmediate(() => server.closeIdleConnections()));
      handler(request, response);
    },
  );
  // It never listens itself, but supervises the timeouts of its connections only after this event.
  server.emit("listening");
  return {
    accept(socket) {
      renewedAtMs.set(socket, performance.now() + ageOf(limits));
      server.emit("connection", socket);
      // Lets the bytes that were put back flow to the parser.
      socket.resume();
    },
    drain() {
      draining = true;
      // Closes idle connections and ends that supervision; the error that it was not listening is expected.
      server.close(() => {});
    },
  };
}

function createHttp2Side(
  handler: OnePortHandler,
  limits: OnePortLimits,
  busy: BusyConnections,
  onError: (error: unknown) => void,
): ProtocolSide {
  const sessions = new Set<http2.ServerHttp2Session>();
  const server = http2.createServer(
    { settings: { maxConcurrentStreams: limits.streamsMax, enablePush: false } },
    handler,
  );
  server.on("session", (session) => {
    const { socket } = session;
    const peer = `${socket.remoteAddress}:${socket.remotePort}`;
    // Lets open streams end.
    const renewal = setTimeout(() => session.close(), ageOf(limits)).unref();
    sessions.add(session);
    session.on("close", () => {
      clearTimeout(renewal);
      sessions.delete(session);
    });
    session.on("stream", (stream) => stream.once("close", busy.begin(peer)));
    session.setTimeout(limits.idleTimeoutMs);
    // A silent stream is not an idle connection.
    session.on("timeout", () => {
      if (!busy.has(peer)) session.close();
    });
  });
  server.on("sessionError", onError);
  return {
    accept(socket) {
      server.emit("connection", socket);
    },
    drain() {
      for (const session of sessions) {
        session.close();
      }
    },
  };
}

function guardHandler(handler: OnePortHandler, onError: (error: unknown) => void): OnePortHandler {
  return (request, response) => {
    try {
      handler(request, response);
    } catch (error) {
      onError(error);
      if (!response.headersSent) {
        response.statusCode = 500;
      }
      response.end();
    }
  };
}

/** The busy connections, by the `address:port` of their clients. */
type BusyConnections = {
  has(peer: string): boolean;
  /** Records the start of work; the returned function records its end, and has no effect a second time. */
  begin(peer: string): () => void;
};

/** Creates an empty set. */
function createBusyConnections(): BusyConnections {
  const running = new Map<string, number>();
  return {
    has: (peer) => running.has(peer),
    begin(peer) {
      running.set(peer, (running.get(peer) ?? 0) + 1);
      let isOpen = true;
      return () => {
        if (!isOpen) return;
        isOpen = false;
        const left = (running.get(peer) ?? 1) - 1;
        if (left === 0) running.delete(peer);
        else running.set(peer, left);
      };
    },
  };
}
