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
import type { OnePortHandler, OnePortRequest, OnePortResponse } from "../server/one-port-server.ts";
import {
  createUnfinishedRequests,
  openRequestBody,
  releaseWhenAnswered,
  type UnfinishedRequests,
} from "./requests/incomplete-requests.ts";
import {
  type AddressOf,
  type AllowedHosts,
  hostProblem,
  isRpc,
  rejectHost,
  rejectUnknownRpc,
  rejectUnservable,
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
  const router = createConnectRouter({
    acceptCompression: [compressionGzip, compressionBrotli],
    readMaxBytes,
    interceptors: [...(options.interceptors ?? []), rejectMalformed],
    ...(options.jsonOptions && { jsonOptions: options.jsonOptions }),
    ...(options.writeMaxBytes !== undefined && { writeMaxBytes: options.writeMaxBytes }),
    ...(options.shutdownSignal && { shutdownSignal: options.shutdownSignal }),
    ...(gate && { requestGate: gate }),
  });
  options.routes(router);
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
    const received = universalRequestFromNodeRequest(request, response, undefined, contextValues);
    const { methodKind } = handler.method;
    const isStream = methodKind === "client_streaming" || methodKind === "bidi_streaming";
    const body = openRequestBody(request, { unfinished, facts: { peer, isStream } });
    response.once("close", body.end);
    releaseWhenAnswered(request, response);
    const isText = isGrpcWebText(received.header.get("content-type") ?? "");
    const bounded = withClampedTimeout({ ...received, body: body.bytes });
    const binary = isText ? fromGrpcWebText(bounded) : bounded;
    const answer = withPlainGrpcMessage(await handleExplained(handler, { ...binary, contextValues }));
    await universalResponseToNodeResponse(isText ? toGrpcWebText(answer) : answer, response);
  }

  function failed(error: unknown, handler: UniversalHandler, response: OnePortResponse): void {
    const method = handler.requestPath;
    if (isClientGone(error) || response.destroyed) {
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

/** Encodes a text for `grpc-message`. */
export function encodedGrpcMessage(text: string): string {
  return text.replaceAll(/[^\x20-\x24\x26-\x7e]+/g, encodeURIComponent);
}

/**
 * gRPC-Web in base64, for clients that cannot read binary streams.
 * Source: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-WEB.md
 */
const textType = /^application\/grpc-web-text\b/i;

/** Whether a request has its body in base64. */
export function isGrpcWebText(contentType: string): boolean {
  return textType.test(contentType);
}

/** Returns the same request in binary gRPC-Web. */
export function fromGrpcWebText(request: UniversalServerRequest): UniversalServerRequest {
  const header = new Headers(request.header);
  header.set("content-type", binaryTypeOf(header.get("content-type") ?? ""));
  header.delete("content-length");
  return { ...request, header, body: decoded(request.body as AsyncIterable<Uint8Array>) };
}

/**
 * Returns a response of binary gRPC-Web in base64; each chunk is padded separately, so that none waits for the next.
 */
export function toGrpcWebText(response: UniversalServerResponse): UniversalServerResponse {
  const type = response.header?.get("content-type");
  if (!response.body || !type?.startsWith("application/grpc-web")) return response;
  const header = new Headers(response.header);
  header.set("content-type", type.replace("application/grpc-web", "application/grpc-web-text"));
  return { ...response, header, body: encoded(response.body) };
}

function binaryTypeOf(textContentType: string): string {
  return textContentType.replace(/grpc-web-text/i, "grpc-web");
}

/** Groups of four characters; padding may end any of them. */
const groups = /^(?:[A-Za-z0-9+/]{2}(?:[A-Za-z0-9+/]{2}|[A-Za-z0-9+/]=|==))*$/;

async function* decoded(body: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  let rest = "";
  for await (const chunk of body) {
    const text =
      rest +
      Buffer.from(chunk)
        .toString("latin1")
        .replace(/[\r\n]/g, "");
    const length = text.length - (text.length % 4);
    rest = text.slice(length);
    const whole = text.slice(0, length);
    if (!groups.test(whole)) throw malformed();
    // Clients may encode pieces separately, each with its own padding.
    for (const piece of whole.split(/(?<==)(?=[^=])/)) {
      if (piece !== "") yield Buffer.from(piece, "base64");
    }
  }
  if (rest !== "") throw malformed();
}

function malformed(): ConnectError {
  return new ConnectError("the body of application/grpc-web-text is not base64", Code.InvalidArgument);
}

async function* encoded(body: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  for await (const chunk of body) {
    yield Buffer.from(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength).toString("base64"));
  }
}
