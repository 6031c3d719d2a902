import type { ServerHttp2Stream } from "node:http2";
import type { ServiceError } from "@grpc/grpc-js";
import { encodedGrpcMessage } from "./grpc-message.ts";
import { type AddressOf, rpcOfPath, unknownRpcMessage } from "./rejected-requests.ts";

/** Responds UNIMPLEMENTED to a call of a method that is not served, and what to call instead. */
export function respondUnknown(
  stream: ServerHttp2Stream,
  path: string,
  served: ReadonlyMap<string, readonly string[]>,
  addressOf?: AddressOf,
): void {
  const rpc = rpcOfPath(path) ?? { service: path, method: "" };
  const message = unknownRpcMessage(rpc, served, addressOf);
  const headers = { ":status": 200, "content-type": "application/grpc", "grpc-status": 12 };
  stream.respond({ ...headers, "grpc-message": encodedGrpcMessage(message) }, { endStream: true });
}

/** Responds 415 to a request whose content type is not that of gRPC, and the required one. */
export function respondWrongType(stream: ServerHttp2Stream, contentType: string | undefined): void {
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

/** Responds with the status of a call, in headers that are its trailers too. */
export function respondStatus(
  stream: ServerHttp2Stream,
  { code, details, metadata }: Pick<ServiceError, "code" | "details" | "metadata">,
): void {
  const headers = { ":status": 200, "content-type": "application/grpc+proto", "grpc-status": code };
  stream.respond(
    { ...headers, "grpc-message": encodedGrpcMessage(details), ...metadata?.toHttp2Headers() },
    { endStream: true },
  );
}

/** Resets a stream without an error if its client still sends when its response is complete. */
export function release(stream: ServerHttp2Stream): void {
  if (!stream.closed && !stream.readableEnded) stream.close();
}
