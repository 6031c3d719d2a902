import type { HostProblem } from "../../server/hosts.ts";
import type { OnePortRequest, OnePortResponse } from "../../server/one-port-server.ts";
import { encodedGrpcMessage } from "./grpc-message.ts";

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
  response.setHeader("grpc-message", encodedGrpcMessage(message));
  // Without a body, gRPC also reads the headers as trailers.
  response.end();
}

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
