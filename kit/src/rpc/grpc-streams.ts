import type { Http2Server, Http2Session, IncomingHttpHeaders, ServerHttp2Stream } from "node:http2";
import {
  type Metadata,
  type Server,
  ServerInterceptingCall,
  type ServerInterceptingCallInterface,
  type ServerInterceptor,
  type ServiceDefinition,
  type ServiceError,
  status,
} from "@grpc/grpc-js";
import { toGrpcServiceError } from "./grpc-js-status.ts";
import type { GrpcCallHeaders } from "./grpc-server.ts";
import type { BusyConnections, RequestMeter, UnfinishedRequests } from "./requests/incomplete-requests.ts";
import { type AddressOf, rpcOfPath } from "./requests/rejected-requests.ts";
import { respondUnknown, respondWrongType } from "./requests/rejected-streams.ts";
import { clampGrpcTimeout } from "./requests/timeout-headers.ts";

/** The hooks in front of the calls of a grpc-js server. */
export type GrpcStreams = {
  /** The last of the server's interceptors that may reject a call, so that its rejections are counted. */
  readonly interceptor: ServerInterceptor;
  /** Registers the methods of a service. */
  know(definition: ServiceDefinition): void;
  /** The hook in front of the streams of the server's only listener. */
  guard(server: Server): void;
};

type StreamListener = (
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  ...rest: [flags: number, rawHeaders: string[]]
) => void;

/**
 * Answers calls of unknown methods, rejects calls by their headers, and limits bodies: grpc-js has no hook for any of
 * these.
 */
export function createGrpcStreams({
  unfinished,
  busy,
  authorize,
  addressOf,
}: {
  readonly unfinished: UnfinishedRequests;
  readonly busy: BusyConnections;
  readonly authorize?: ((call: GrpcCallHeaders) => void) | undefined;
  readonly addressOf?: AddressOf | undefined;
}): GrpcStreams {
  const methods = new Map<string, ServiceDefinition[string]>();
  const served = new Map<string, string[]>();
  const peerOf = createPeers();
  let opening: { call: ServerInterceptingCallInterface | undefined } | undefined;

  function listen(handle: StreamListener): StreamListener {
    return (stream, headers, ...rest) => {
      stream.on("error", ignore);
      const peer = peerOf(stream.session);
      const endBusy = busy.begin(peer);
      let meter: RequestMeter | undefined;
      stream.on("close", () => {
        endBusy();
        meter?.end();
      });
      stream.on("wantTrailers", onWantTrailers);
      stream.on("finish", onFinish);
      const path = headers[":path"] ?? "";
      const method = methods.get(path);
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
      meter = unfinished.open({ peer, isStream: method.requestStream }, (error) =>
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
    },
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

/** A call of a client-streaming method, for its handler; answer it with `respondTo`. */
export type MessageStreamCall = {
  readonly metadata: Metadata;
  readonly rpc: ServerInterceptingCallInterface;
};

/** Answers a call; only its first answer is sent. */
export function respondTo({ rpc }: MessageStreamCall, error: ServiceError | null, response?: unknown): void {
  if (error) rpc.sendStatus(sentOf(error));
  else rpc.sendMessage(response, () => rpc.sendStatus({ code: status.OK, details: "OK" }));
}

/**
 * Receives a call's events, in order. After a failed message more may come, until the answer is sent.
 */
export type MessageStreamReceiver<Request> = {
  /** The next message; the one after it is read when the returned promise has resolved, or at once without one. */
  received(message: Request): Promise<void> | undefined;
  /** The client has ended its stream. */
  ended(): void;
  /** `received` has thrown, or its promise has rejected. */
  failed(error: unknown): void;
  /** The call is over: it is answered, cancelled, or past its deadline, or its client has disconnected. */
  cancelled(): void;
};

/** Serves the calls of a client-streaming method. */
export type MessageStreamHandler<Request = unknown> = (
  call: MessageStreamCall,
) => MessageStreamReceiver<Request>;

/** The handlers by the paths of their methods. */
export type MessageStreams = ReadonlyMap<string, MessageStreamHandler>;

/**
 * Serves client-streaming methods message by message, in place of the streams of Node that grpc-js otherwise creates for
 * each call. Of ten thousand open calls, these would be most of the memory, and most of the time of garbage collection.
 * Must be the last interceptor of a server: grpc-js starts a call with it.
 */
export function createMessageStreams(handlers: MessageStreams): ServerInterceptor {
  return ({ path }, call) => {
    const serve = handlers.get(path);
    // grpc-js needs no more than the interface that the call has already.
    if (!serve) return call as ServerInterceptingCall;
    const served = new ServerInterceptingCall(call);
    served.start = () => serveCall(call, serve);
    return served;
  };
}

/** In a service's implementation, for a method that is served message by message: never called. */
export function servedByMessages(): never {
  throw new Error("the method is served message by message");
}

function serveCall(rpc: ServerInterceptingCallInterface, serve: MessageStreamHandler): void {
  let receiver: MessageStreamReceiver<unknown>;
  let isReading = false;
  let isDue = false;

  /** A loop, because messages that have arrived are passed on within `startRead`: there may be thousands of them. */
  function readOn(): void {
    isDue = true;
    if (isReading) return;
    isReading = true;
    while (isDue) {
      isDue = false;
      rpc.startRead();
    }
    isReading = false;
  }

  rpc.start({
    onReceiveMetadata(metadata) {
      receiver = serve({ metadata, rpc });
      readOn();
    },
    onReceiveMessage(message) {
      try {
        const wait = receiver.received(message);
        if (wait === undefined) readOn();
        else wait.then(readOn, receiver.failed);
      } catch (error) {
        receiver.failed(error);
      }
    },
    onReceiveHalfClose: () => receiver.ended(),
    // A call may be over before its headers are passed on.
    onCancel: () => receiver?.cancelled(),
  });
}

/** The server that the injector of connections created; grpc-js has no other access to it. */
function onlyHttp2ServerOf(server: Server): Http2Server {
  const { http2Servers } = server as unknown as { readonly http2Servers?: ReadonlyMap<Http2Server, unknown> };
  const [http2Server, ...more] = http2Servers?.keys() ?? [];
  if (!http2Server || more.length > 0) throw new Error("grpc-js no longer has exactly one HTTP/2 server");
  return http2Server;
}

function statusOf(error: unknown) {
  return sentOf(toGrpcServiceError(error));
}

function sentOf({ code, details, metadata }: ServiceError) {
  return { code, details, metadata };
}

function isGrpc(headers: IncomingHttpHeaders): boolean {
  return /^application\/grpc(?:[+;]|$)/.test(headers["content-type"] ?? "");
}

function ignore(): void {}

/** Returns `address:port` of a session's client; kept, because each stream needs it, and a session is slow to ask. */
function createPeers(): (session: Http2Session | undefined) => string {
  const peers = new WeakMap<Http2Session, string>();
  return (session) => {
    const known = session && peers.get(session);
    if (known !== undefined) return known;
    const peer = `${session?.socket.remoteAddress}:${session?.socket.remotePort}`;
    if (session) peers.set(session, peer);
    return peer;
  };
}

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

function release(stream: ServerHttp2Stream): void {
  if (!stream.closed && !stream.readableEnded) stream.close();
}
