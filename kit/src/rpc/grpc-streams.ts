import type { Http2Server, Http2Session, IncomingHttpHeaders, ServerHttp2Stream } from "node:http2";
import {
  Metadata,
  type Server,
  ServerInterceptingCall,
  type ServerInterceptingCallInterface,
  type ServerInterceptor,
  type ServiceDefinition,
} from "@grpc/grpc-js";
import type { GrpcJsCounting } from "../observability/metrics-grpc-js.ts";
import { toGrpcServiceError } from "./grpc-js-status.ts";
import type { GrpcCallHeaders } from "./grpc-server.ts";
import type { GrpcConnection, MessageStreams } from "./message-streams.ts";
import type { RequestMeter, UnfinishedRequests } from "./requests/incomplete-requests.ts";
import { serveMessages } from "./requests/message-stream-call.ts";
import { type AddressOf, rpcOfPath } from "./requests/rejected-requests.ts";
import { release, respondUnknown, respondWrongType } from "./requests/rejected-streams.ts";
import { clampGrpcTimeout } from "./requests/timeout-headers.ts";

/** The hooks in front of the calls of a grpc-js server. */
export type GrpcStreams = {
  /** The last of the server's interceptors that may reject a call, so that its rejections are counted. */
  readonly interceptor: ServerInterceptor;
  /** Registers the methods of a service. */
  know(definition: ServiceDefinition): void;
  /** The hook in front of the streams of the server's only listener. */
  guard(server: Server): void;
  /** Whether a connection has open streams, by the `address:port` of its client. */
  isBusy(peer: string): boolean;
};

type StreamListener = (
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  ...rest: [flags: number, rawHeaders: string[]]
) => void;

/**
 * Answers calls of unknown methods, rejects calls by their headers, limits bodies and the time of idle connections, and
 * serves methods message by message: grpc-js has no hook for any of these.
 */
export function createGrpcStreams({
  unfinished,
  authorize,
  addressOf,
  idleTimeoutMs,
  messageBytesMax,
  messageStreams,
  counting,
}: {
  readonly unfinished: UnfinishedRequests;
  readonly authorize?: ((call: GrpcCallHeaders) => void) | undefined;
  readonly addressOf?: AddressOf | undefined;
  readonly idleTimeoutMs: number;
  /** The largest message of a stream that is served message by message. */
  readonly messageBytesMax: number;
  readonly messageStreams?: MessageStreams | undefined;
  readonly counting?: Pick<GrpcJsCounting, "begin"> | undefined;
}): GrpcStreams {
  const methods = new Map<string, ServiceDefinition[string]>();
  const served = new Map<string, string[]>();
  const connections = createConnections(idleTimeoutMs);
  const messageServer = messageStreams && {
    unfinished,
    incomplete: unfinished.openSet(),
    authorize,
    messageBytesMax,
  };
  let opening: { call: ServerInterceptingCallInterface | undefined } | undefined;

  function listen(handle: StreamListener): StreamListener {
    return (stream, headers, ...rest) => {
      stream.on("error", ignore);
      const connection = connections.of(stream);
      // Its client has disconnected.
      if (stream.destroyed || connection === undefined) return;
      connection.streams++;
      const path = headers[":path"] ?? "";
      const method = methods.get(path);
      const serve = messageStreams?.get(path);
      if (messageServer && serve && method && isGrpc(headers)) {
        const described = describeCall(path, headers, connection.peer);
        const counted = counting?.begin(path);
        serveMessages({ stream, headers, described, method, connection, counted }, serve, messageServer);
        return;
      }
      let meter: RequestMeter | undefined;
      stream.on("close", () => {
        connection.leave();
        meter?.end();
      });
      stream.on("wantTrailers", onWantTrailers);
      stream.on("finish", onFinish);
      if (!isGrpc(headers)) return respondWrongType(stream, headers["content-type"]);
      if (method === undefined) return respondUnknown(stream, path, served, addressOf);
      const timeout = headers["grpc-timeout"];
      if (typeof timeout === "string") headers["grpc-timeout"] = clampGrpcTimeout(timeout);
      // The interceptor runs within this call, and has no other access to its stream.
      const opened: typeof opening = { call: undefined };
      opening = opened;
      handle(stream, headers, ...rest);
      opening = undefined;
      if (stream.destroyed || stream.headersSent) return;
      meter = unfinished.open({ peer: connection.peer, isStream: method.requestStream }, (error) =>
        opened.call?.sendStatus(statusOf(error)),
      );
      // After grpc-js has paused the stream, which controls when it flows.
      stream.on("data", meter.received);
      stream.on("end", meter.end);
    };
  }

  return {
    know(definition) {
      for (const method of Object.values(definition)) {
        methods.set(method.path, method);
        const { service = "", method: name = "" } = rpcOfPath(method.path) ?? {};
        served.set(service, [...(served.get(service) ?? []), name]);
      }
    },
    guard(server) {
      const http2Server = onlyHttp2ServerOf(server);
      const [handle] = http2Server.listeners("stream") as StreamListener[];
      if (!handle) throw new Error("grpc-js no longer listens to the streams of its HTTP/2 server");
      http2Server.removeAllListeners("stream");
      http2Server.on("stream", listen(handle));
      http2Server.on("session", connections.open);
    },
    isBusy: connections.isBusy,
    interceptor({ path }, call) {
      if (opening) opening.call = call;
      // grpc-js needs no more than the interface that the call has already.
      if (!authorize) return call as ServerInterceptingCall;
      return new ServerInterceptingCall(call, {
        start: (next) =>
          next({
            onReceiveMetadata(metadata, nextMetadata) {
              try {
                authorize({ path, metadata, getPeer: () => call.getPeer() });
              } catch (error) {
                // The handler is never called, so that the body is not read.
                call.sendStatus(statusOf(error));
                return;
              }
              nextMetadata(metadata);
            },
          }),
      });
    },
  };
}

/** The server that the injector of connections created; grpc-js has no other access to it. */
function onlyHttp2ServerOf(server: Server): Http2Server {
  const { http2Servers } = server as unknown as { readonly http2Servers?: ReadonlyMap<Http2Server, unknown> };
  const [http2Server, ...more] = http2Servers?.keys() ?? [];
  if (!http2Server || more.length > 0) throw new Error("grpc-js no longer has exactly one HTTP/2 server");
  return http2Server;
}

function statusOf(error: unknown) {
  const { code, details, metadata } = toGrpcServiceError(error);
  return { code, details, metadata };
}

function isGrpc(headers: IncomingHttpHeaders): boolean {
  return /^application\/grpc(?:[+;]|$)/.test(headers["content-type"] ?? "");
}

function ignore(): void {}

/** The metadata of grpc-js is made for the few calls whose headers are read. */
function describeCall(path: string, headers: IncomingHttpHeaders, peer: string): GrpcCallHeaders {
  let metadata: Metadata | undefined;
  return {
    path,
    get metadata() {
      metadata ??= Metadata.fromHttp2Headers(headers);
      return metadata;
    },
    getPeer: () => peer,
  };
}

/** The open connections, by the `address:port` of their clients. */
function createConnections(idleTimeoutMs: number) {
  const byPeer = new Map<string, { readonly streams: number }>();
  const bySession = new WeakMap<Http2Session, OpenConnection>();

  /** Closes the session when it has had no stream for the time limit. */
  function open(session: Http2Session): void {
    const peer = `${session.socket.remoteAddress}:${session.socket.remotePort}`;
    const connection = {
      peer,
      streams: 0,
      leave() {
        connection.streams--;
        if (connection.streams === 0) timer.refresh();
      },
    };
    const timer = setTimeout(() => {
      if (connection.streams === 0) session.close();
    }, idleTimeoutMs).unref();
    byPeer.set(peer, connection);
    bySession.set(session, connection);
    session.once("close", () => {
      clearTimeout(timer);
      if (byPeer.get(peer) === connection) byPeer.delete(peer);
    });
  }
  return {
    open,
    isBusy: (peer: string) => (byPeer.get(peer)?.streams ?? 0) > 0,
    of: (stream: ServerHttp2Stream) => stream.session && bySession.get(stream.session),
  };
}

type OpenConnection = GrpcConnection & { streams: number };

// Listeners that many streams share. They reset a stream without an error if its client still sends when its response is
// complete.

function onWantTrailers(this: ServerHttp2Stream): void {
  // One iteration of the event loop later, the trailers have been sent.
  if (!this.readableEnded) setImmediate(release, this);
}

/** A response that ends with its headers has no trailers. */
function onFinish(this: ServerHttp2Stream): void {
  if (this.readableEnded) return;
  const { ":status": status, "grpc-status": grpcStatus } = this.sentHeaders ?? {};
  if (grpcStatus !== undefined || status !== 200) setImmediate(release, this);
}
