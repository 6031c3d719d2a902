import type { UniversalHandler } from "@connectrpc/connect/protocol";
import type { OnePortRequest, OnePortResponse } from "../../server/one-port-server.ts";

/** Returns the address of a service of the contract, as `host:port`; undefined if it is unknown. */
export type AddressOf = (service: string) => string | undefined;

/** `/package.Service/Method`, as in every RPC protocol. */
export function rpcOfPath(path: string): { readonly service: string; readonly method: string } | undefined {
  const [, service, method] = /^\/((?:\w+\.)+\w+)\/(\w+)$/.exec(path) ?? [];
  return service === undefined || method === undefined ? undefined : { service, method };
}

/** Whether a request uses one of the RPC protocols, by its content type. */
export function isRpc(request: OnePortRequest): boolean {
  const type = contentTypeOf(request);
  return request.method === "POST" && /^application\/(grpc|json|proto|connect\+)/i.test(type);
}

/**
 * Returns the error for an RPC that is not served here: the methods of its service, the address of its service, or the
 * services that are served here.
 */
export function unknownRpcMessage(
  { service, method }: { readonly service: string; readonly method: string },
  served: ReadonlyMap<string, readonly string[]>,
  addressOf: AddressOf = () => undefined,
): string {
  const methods = served.get(service);
  if (methods !== undefined) return `${service} has no method ${method}; it has ${methods.join(", ")}`;
  const address = addressOf(service);
  return address === undefined
    ? `${service} is not served at this address, which serves ${[...served.keys()].join(", ")}`
    : `${service} is not served at this address; it is served at ${address}`;
}

/** The form of a rejection: HTTP status and Connect's code, or the status of gRPC. */
type Rejection = {
  readonly status: number;
  readonly code: string;
  readonly grpcStatus: number;
  readonly message: string;
};

/** Responds UNIMPLEMENTED: with status 12 to gRPC and gRPC-Web, with HTTP 404 and the error as JSON to Connect. */
export function rejectUnknownRpc(request: OnePortRequest, response: OnePortResponse, message: string): void {
  rejectRequest(request, response, { status: 404, code: "unimplemented", grpcStatus: 12, message });
}

/** Rejects a request whose host is malformed (INVALID_ARGUMENT, 400) or not served (PERMISSION_DENIED, 403). */
export function rejectHost(
  request: OnePortRequest,
  response: OnePortResponse,
  { kind, message }: HostProblem,
): void {
  rejectRequest(
    request,
    response,
    kind === "malformed"
      ? { status: 400, code: "invalid_argument", grpcStatus: 3, message }
      : { status: 403, code: "permission_denied", grpcStatus: 7, message },
  );
}

function rejectRequest(
  request: OnePortRequest,
  response: OnePortResponse,
  { status, code, grpcStatus, message }: Rejection,
): void {
  const contentType = contentTypeOf(request);
  if (!/^application\/grpc/i.test(contentType)) {
    respondError(response, status, code, message);
    return;
  }
  response.statusCode = 200;
  response.setHeader("content-type", contentType);
  response.setHeader("grpc-status", `${grpcStatus}`);
  response.setHeader("grpc-message", encodeURI(message));
  // Without a body, gRPC also reads the headers as trailers.
  response.end();
}

/** Whether a handler accepts a request, by its method, version and content type. If not, responds to it. */
export function rejectUnservable(
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
  const contentType = contentTypeOf(request);
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

/** Returns an error in Connect's format, which users can read too. */
export function respondError(response: OnePortResponse, status: number, code: string, message: string): void {
  const body = `${JSON.stringify({ code, message })}\n`;
  response.statusCode = status;
  response.setHeader("content-type", "application/json");
  response.setHeader("content-length", Buffer.byteLength(body));
  response.end(body);
}

function contentTypeOf(request: OnePortRequest): string {
  return request.headers["content-type"] ?? "";
}

/** The names by which a browser reaches this machine without DNS, in the notation of a Host header. */
export const loopbackHosts: readonly string[] = ["localhost", "127.0.0.1", "[::1]"];

/** Whether a host is reachable only from this machine, as an address or as a name. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127\.\d+\.\d+\.\d+$/.test(host);
}

/** Accepted host names of a server, without ports; "*" for any. */
export type AllowedHosts = readonly string[] | "*";

/** Why a request is rejected by its Host (HTTP/1.1) or :authority (HTTP/2). */
export type HostProblem = { readonly kind: "malformed" | "foreign"; readonly message: string };

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
    message: `this address serves only calls to ${allowed.join(", ")}: authentication is off here; set up TLS and tokens (npm run certs) for other names`,
  };
}

/** Returns the host in lower case and without its port; undefined if it is not valid. */
function hostOf(authority: string): string | undefined {
  const [, host] = /^([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?$/.exec(authority) ?? [];
  return host?.toLowerCase();
}
