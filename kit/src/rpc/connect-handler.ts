import {
  Code,
  ConnectError,
  type ConnectRouter,
  type ConnectRouterOptions,
  createConnectRouter,
  createContextValues,
  type HandlerContext,
  type Interceptor,
} from "@connectrpc/connect";
import type { UniversalHandler, UniversalServerRequest } from "@connectrpc/connect/protocol";
import {
  compressionBrotli,
  compressionGzip,
  universalRequestFromNodeRequest,
  universalResponseToNodeResponse,
} from "@connectrpc/connect-node";
import type { Logger } from "../observability/logger.ts";
import type { OnePortHandler, OnePortRequest, OnePortResponse } from "../server/one-port-server.ts";
import { peerKey, peerOfRequest } from "./call-peer.ts";
import { toConnectError } from "./connect-status.ts";
import { withPlainGrpcMessage } from "./grpc-message.ts";
import { fromGrpcWebText, isGrpcWebText, toGrpcWebText } from "./requests/grpc-web-text.ts";
import { createUnfinishedRequests, type UnfinishedRequests } from "./requests/incomplete-requests.ts";
import { markMalformedMessages, throwIfMalformed } from "./requests/malformed-messages.ts";
import {
  type AddressOf,
  isRpc,
  rejectHost,
  rejectUnknownRpc,
  rejectUnservable,
  respondError,
  rpcOfPath,
  unknownRpcMessage,
} from "./requests/rejected-requests.ts";
import { openRequestBody, releaseWhenAnswered } from "./requests/request-body.ts";
import { type AllowedHosts, hostProblem } from "./requests/request-host.ts";
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
  markMalformedMessages(router, { readMaxBytes });
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
    const answer = withPlainGrpcMessage(await handler(isText ? fromGrpcWebText(bounded) : bounded));
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

/** Rejects calls that no other interceptor has rejected; the message that it sees is empty. */
const rejectMalformed: Interceptor = (next) => (request) => {
  try {
    throwIfMalformed(request.contextValues, request.method.input);
  } catch (error) {
    throw toConnectError(error);
  }
  return next(request);
};

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
