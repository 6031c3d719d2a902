import type { Http2Server, IncomingHttpHeaders, ServerHttp2Stream } from "node:http2";
import {
  type Server,
  ServerInterceptingCall,
  type ServerInterceptingCallInterface,
  type ServerInterceptor,
  type ServiceDefinition,
} from "@grpc/grpc-js";
import { toGrpcServiceError } from "./grpc-js-status.ts";
import type { GrpcCallHeaders } from "./grpc-server.ts";
import type { BusyConnections, UnfinishedRequests } from "./requests/incomplete-requests.ts";
import { type AddressOf, rpcOfPath, unknownRpcMessage } from "./requests/rejected-requests.ts";
import { clampGrpcTimeout } from "./requests/timeout-headers.ts";

/** The hooks in front of the calls of a grpc-js server. */
export type GrpcStreams = {
  /** The last of the server's interceptors, so that its rejections are counted. */
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
  const calls = new WeakMap<ServerHttp2Stream, ServerInterceptingCallInterface>();
  let opening: ServerHttp2Stream | undefined;

  function listen(handle: StreamListener): StreamListener {
    return (stream, headers, ...rest) => {
      stream.on("error", () => {});
      const socket = stream.session?.socket;
      const peer = `${socket?.remoteAddress}:${socket?.remotePort}`;
      stream.once("close", busy.begin(peer));
      releaseWhenAnswered(stream);
      const path = headers[":path"] ?? "";
      const method = methods.get(path);
      if (!isGrpc(headers)) return respondWrongType(stream, headers["content-type"]);
      if (method === undefined) return respondUnknown(stream, path);
      const timeout = headers["grpc-timeout"];
      if (typeof timeout === "string") headers["grpc-timeout"] = clampGrpcTimeout(timeout);
      // The interceptor runs within this call, and has no other access to its stream.
      opening = stream;
      handle(stream, headers, ...rest);
      opening = undefined;
      if (stream.destroyed || stream.headersSent) return;
      const meter = unfinished.open({ peer, isStream: method.requestStream }, (error) =>
        calls.get(stream)?.sendStatus(statusOf(error)),
      );
      // After grpc-js has paused the stream, which controls when it flows.
      stream.on("data", meter.received);
      stream.once("end", meter.end);
      stream.once("close", meter.end);
    };
  }

  function respondUnknown(stream: ServerHttp2Stream, path: string): void {
    const rpc = rpcOfPath(path) ?? { service: path, method: "" };
    const message = unknownRpcMessage(rpc, served, addressOf);
    const headers = { ":status": 200, "content-type": "application/grpc", "grpc-status": 12 };
    stream.respond({ ...headers, "grpc-message": encodeURI(message) }, { endStream: true });
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
      if (opening) calls.set(opening, call);
      if (!authorize) return new ServerInterceptingCall(call);
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

function respondWrongType(stream: ServerHttp2Stream, contentType: string | undefined): void {
  const sent =
    contentType === undefined
      ? "no content-type"
      : `content-type ${JSON.stringify(contentType.slice(0, 100))}`;
  const message = `the request has ${sent}: this address serves gRPC only, send application/grpc+proto`;
  stream.respond({
    ":status": 415,
    "content-type": "application/json",
    "accept-post": "application/grpc+proto",
  });
  stream.end(`${JSON.stringify({ code: "invalid_argument", message })}\n`);
}

/** Resets a stream without an error if its client still sends when its response is complete. */
function releaseWhenAnswered(stream: ServerHttp2Stream): void {
  const release = (): void => {
    if (!stream.closed && !stream.readableEnded) stream.close();
  };
  // One iteration of the event loop later, the trailers have been sent. A response that ends with its headers has none.
  stream.once("wantTrailers", () => setImmediate(release));
  stream.once("finish", () => {
    const { ":status": status, "grpc-status": grpcStatus } = stream.sentHeaders ?? {};
    if (grpcStatus !== undefined || status !== 200) setImmediate(release);
  });
}
