import {
  Code,
  ConnectError,
  type ConnectRouter,
  type ConnectRouterOptions,
  createConnectRouter,
  createContextKey,
  createContextValues,
  type HandlerContext,
} from "@connectrpc/connect";
import type {
  UniversalHandler,
  UniversalServerRequest,
  UniversalServerResponse,
} from "@connectrpc/connect/protocol";
import {
  compressionBrotli,
  compressionGzip,
  universalRequestFromNodeRequest,
  universalResponseToNodeResponse,
} from "@connectrpc/connect-node";
import type { Logger } from "../observability/logger.ts";
import { type AllowedHosts, type HostProblem, isLoopback, loopbackHosts } from "../server/hosts.ts";
import { isAbandoned } from "../server/http-errors.ts";
import type { OnePortHandler, OnePortRequest, OnePortResponse } from "../server/one-port-server.ts";
import { encodedGrpcMessage } from "./requests/grpc-message.ts";
import { createGrpcUnary } from "./requests/grpc-unary.ts";
import { fromGrpcWebText, toGrpcWebText } from "./requests/grpc-web-text.ts";
import {
  createUnfinishedRequests,
  openRequestBody,
  releaseWhenAnswered,
  type UnfinishedRequests,
} from "./requests/incomplete-requests.ts";
import {
  type AddressOf,
  isRpc,
  rejectHost,
  rejectUnknownRpc,
  respondError,
  rpcOfPath,
  unknownRpcMessage,
} from "./requests/rejected-requests.ts";
import { handleExplained, rejectMalformed } from "./requests/request-validation.ts";
import { clampConnectTimeout, clampGrpcTimeout } from "./requests/timeout-headers.ts";

/** The parts of a Connect server. */
export type ConnectHandlerOptions = Pick<
  ConnectRouterOptions,
  "interceptors" | "jsonOptions" | "writeMaxBytes" | "shutdownSignal"
> & {
  /** Adds the services. */
  routes(router: ConnectRouter): void;
  /** Maximum size of one request message in bytes. */
  readonly readMaxBytes: number;
  /** Receives errors below the interceptors; a client that disconnects is only a debug line. */
  readonly logger: Logger;
  /** Decides by the headers of a call, before its body is read, whether to accept it; see createRequestGate. */
  readonly gate?: ((context: HandlerContext) => Promise<void>) | undefined;
  /** Answers what is not an RPC; 404 by default. */
  readonly fallback?: OnePortHandler | undefined;
  /** Accepted host names; any by default. Without authentication, those of loopback. */
  readonly hosts?: AllowedHosts | undefined;
  /** The addresses of services that are served elsewhere. */
  readonly addressOf?: AddressOf | undefined;
  /** The requests of the process; separate by default. */
  readonly unfinished?: UnfinishedRequests | undefined;
};

/**
 * Serves Connect, gRPC and gRPC-Web (also in base64) over HTTP/1.1 and HTTP/2. Every request that cannot be served is
 * answered in its own protocol with the solution. Output goes only to the logger.
 */
export function createConnectHandler(options: ConnectHandlerOptions): OnePortHandler {
  const {
    readMaxBytes,
    logger,
    gate,
    addressOf,
    hosts = "*",
    unfinished = createUnfinishedRequests(),
  } = options;
  const fallback =
    options.fallback ?? ((_, response) => respondError(response, 404, "not_found", "nothing is here"));
  const acceptCompression = [compressionGzip, compressionBrotli];
  const interceptors = [...(options.interceptors ?? []), rejectMalformed];
  const router = createConnectRouter({
    acceptCompression,
    readMaxBytes,
    interceptors,
    ...(options.jsonOptions && { jsonOptions: options.jsonOptions }),
    ...(options.writeMaxBytes !== undefined && { writeMaxBytes: options.writeMaxBytes }),
    ...(options.shutdownSignal && { shutdownSignal: options.shutdownSignal }),
    ...(gate && { requestGate: gate }),
  });
  const grpcUnary = createGrpcUnary({
    interceptors,
    acceptCompression,
    readMaxBytes,
    writeMaxBytes: options.writeMaxBytes ?? 0xffffffff,
    shutdownSignal: options.shutdownSignal,
    gate,
  });
  options.routes(grpcUnary.remembering(router));
  const handlers = new Map(router.handlers.map((handler) => [handler.requestPath, handler]));
  const served = Map.groupBy(router.handlers, ({ service }) => service.typeName);
  const methods = new Map([...served].map(([name, of]) => [name, of.map(({ method }) => method.name)]));

  async function serve(
    handler: UniversalHandler,
    request: OnePortRequest,
    response: OnePortResponse,
  ): Promise<void> {
    const peer = peerOfRequest(request);
    const contextValues = createContextValues().set(peerKey, peer);
    const { methodKind } = handler.method;
    const isStream = methodKind === "client_streaming" || methodKind === "bidi_streaming";
    const body = openRequestBody(request, { unfinished, facts: { peer, isStream } });
    response.once("close", body.end);
    releaseWhenAnswered(request, response);
    const answer =
      methodKind === "unary" ? grpcUnary.answerOf(handler.requestPath, request, response) : undefined;
    const unread = answer ? await answer({ body: body.bytes, contextValues }) : body.bytes;
    // A client that has disconnected meanwhile closes the stream once only.
    if (unread === undefined || (answer && isAbandoned(response))) return;
    const received = universalRequestFromNodeRequest(request, response, undefined, contextValues);
    const isText = /^application\/grpc-web-text\b/i.test(received.header.get("content-type") ?? "");
    const bounded = withClampedTimeout({ ...received, body: unread });
    const binary = isText ? fromGrpcWebText(bounded) : bounded;
    const answered = withPlainGrpcMessage(await handleExplained(handler, { ...binary, contextValues }));
    await universalResponseToNodeResponse(isText ? toGrpcWebText(answered) : answered, response);
  }

  function failed(error: unknown, handler: UniversalHandler, response: OnePortResponse): void {
    const method = handler.requestPath;
    if (isClientGone(error) || isAbandoned(response)) {
      logger.debug({ error, method }, "the client disconnected");
      return;
    }
    logger.error({ error, method }, "the response could not be sent");
    if (!response.headersSent) response.statusCode = 500;
    response.end();
  }

  return (request, response) => {
    const problem = hostProblem(authorityOf(request), hosts);
    if (problem) return rejectHost(request, response, problem);
    const [path = ""] = (request.url ?? "").split("?", 1);
    const handler = handlers.get(path);
    if (handler) {
      if (!hasUrl(request)) return respondError(response, 400, "invalid_argument", "there is no Host header");
      if (rejectUnservable(handler, request, response)) return;
      serve(handler, request, response).catch((error: unknown) => failed(error, handler, response));
      return;
    }
    const rpc = rpcOfPath(path);
    if (rpc === undefined || !isRpc(request)) return fallback(request, response);
    rejectUnknownRpc(request, response, unknownRpcMessage(rpc, methods, addressOf));
  };
}

/** Whether a handler accepts a request, by its method, version and content type. If not, responds to it. */
function rejectUnservable(
  handler: UniversalHandler,
  request: OnePortRequest,
  response: OnePortResponse,
): boolean {
  const { method } = handler;
  // Connect lists GET for streams too, and then finds no content type in them.
  const methods = method.methodKind === "unary" ? handler.allowedMethods : ["POST"];
  if (!methods.includes(request.method ?? "")) {
    const allowed = methods.join(", ");
    response.setHeader("allow", allowed);
    respondError(
      response,
      405,
      "unimplemented",
      `${request.method} does not call ${method.name}: use ${allowed}`,
    );
    return true;
  }
  if (method.methodKind === "bidi_streaming" && request.httpVersion.startsWith("1.")) {
    // A client that expects a response while it sends would wait forever.
    response.setHeader("connection", "close");
    respondError(response, 505, "unimplemented", `${method.name} streams both ways: use HTTP/2`);
    return true;
  }
  const contentType = request.headers["content-type"] ?? "";
  if (request.method !== "POST" || handler.supportedContentType(contentType)) return false;
  const types = method.methodKind === "unary" ? unaryTypes : streamTypes;
  response.setHeader("accept-post", types.join(", "));
  const sent =
    contentType === "" ? "no content-type" : `content-type ${JSON.stringify(contentType.slice(0, 100))}`;
  respondError(response, 415, "invalid_argument", `the request has ${sent}: send one of ${types.join(", ")}`);
  return true;
}

const grpcTypes = ["application/grpc+proto", "application/grpc-web+proto", "application/grpc-web-text+proto"];
const unaryTypes = ["application/json", "application/proto", ...grpcTypes];
const streamTypes = ["application/connect+json", "application/connect+proto", ...grpcTypes];

/**
 * Returns the problem of the host of a request, if there is one. Without authentication a server accepts only loopback
 * names: a web page whose own name resolves to 127.0.0.1 (DNS rebinding) would otherwise have the rights of a program
 * on this machine. A request without a host is accepted, because no browser sends one. Pure.
 */
export function hostProblem(authority: string | undefined, allowed: AllowedHosts): HostProblem | undefined {
  if (authority === undefined) return undefined;
  const host = hostOf(authority);
  if (host === undefined) {
    return {
      kind: "malformed",
      message: "the Host header is not a host name or address with an optional port",
    };
  }
  if (allowed === "*" || allowed.includes(host)) return undefined;
  // Any address of 127.0.0.0/8 is this machine's, and DNS cannot define such a name.
  if (allowed === loopbackHosts && isLoopback(host)) return undefined;
  return {
    kind: "foreign",
    message: `this address serves only calls to ${allowed.join(", ")}: authentication is off here. For other names set up TLS and tokens (npm run certs), or, in a network that you trust, start the server with --insecure-beyond-loopback`,
  };
}

/** Returns the host in lower case and without its port; undefined if it is not valid. */
function hostOf(authority: string): string | undefined {
  const [, host] = /^([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?$/.exec(authority) ?? [];
  return host?.toLowerCase();
}

/** Whether the request has a valid URL. */
function hasUrl(request: OnePortRequest): boolean {
  const authority = authorityOf(request);
  return authority !== undefined && URL.canParse(request.url ?? "", `http://${authority}`);
}

function authorityOf(request: OnePortRequest): string | undefined {
  return "authority" in request ? request.authority || request.headers.host : request.headers.host;
}

function withClampedTimeout(request: UniversalServerRequest): UniversalServerRequest {
  const grpc = request.header.get("grpc-timeout");
  const connect = request.header.get("connect-timeout-ms");
  if (grpc !== null) request.header.set("grpc-timeout", clampGrpcTimeout(grpc));
  if (connect !== null) request.header.set("connect-timeout-ms", clampConnectTimeout(connect));
  return request;
}

/** Node's codes for connections and streams that ended during a write. */
const goneCodes = /^(E[A-Z]+|ERR_STREAM_.*|ERR_HTTP2_(INVALID_STREAM|STREAM_.*|SESSION_.*|INVALID_SESSION))$/;

/** Whether a response failed only because its client has disconnected. */
function isClientGone(error: unknown): boolean {
  const { code, cause } = ConnectError.from(error);
  if (code === Code.Aborted || code === Code.Canceled || code === Code.DeadlineExceeded) return true;
  return cause instanceof Error && "code" in cause && goneCodes.test(String(cause.code));
}

/** In the context values of a Connect call: the `address:port` of its connection. */
export const peerKey = createContextKey("", { description: "peer" });

/** Returns the `address:port` of the peer; only a part of it for a closed connection. */
export function peerOfRequest(request: OnePortRequest): string {
  // The socket of an HTTP/2 request throws once its session is destroyed.
  const socket = "stream" in request ? request.stream.session?.socket : request.socket;
  return `${socket?.remoteAddress}:${socket?.remotePort}`;
}

const header = "grpc-message";

/**
 * Returns the response with gRPC's status text encoded according to the specification: of ASCII only `%` and control
 * characters are escaped. Connect escapes punctuation too, and clients on grpc-js show such escapes literally.
 */
export function withPlainGrpcMessage(response: UniversalServerResponse): UniversalServerResponse {
  const { body, trailer } = response;
  return body && trailer ? { ...response, body: withPlainTrailer(body, trailer) } : response;
}

async function* withPlainTrailer(
  body: AsyncIterable<Uint8Array>,
  trailer: Headers,
): AsyncIterable<Uint8Array> {
  yield* body;
  // Connect sets it at the end of the body; the trailers are sent after that.
  const message = trailer.get(header);
  if (message !== null) trailer.set(header, encodedGrpcMessage(decodeURIComponent(message)));
}
