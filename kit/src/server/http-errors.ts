import { constants } from "node:http2";
import { codeToHttpStatus, errorToJson } from "@connectrpc/connect/protocol-connect";
import { toConnectError } from "../rpc/connect-status.ts";
import { RpcError } from "../rpc/rpc-error.ts";
import type { OnePortResponse } from "./one-port-server.ts";

/**
 * Responds to a request for a plain HTTP resource with an error in Connect's format: the HTTP status of its code, and
 * `{code, message, details}` as JSON. 401 has `www-authenticate`, and an error with a retry delay `retry-after` in
 * whole seconds. Any error except an RpcError becomes 500 with a fixed text.
 */
export function respondHttpError(response: OnePortResponse, error: unknown): void {
  const connectError = toConnectError(error);
  const body = `${JSON.stringify(errorToJson(connectError, undefined))}\n`;
  const status = codeToHttpStatus(connectError.code);
  const retryDelayMs = retryDelayOf(error);
  response.statusCode = status;
  if (status === 401) response.setHeader("www-authenticate", "Bearer");
  if (retryDelayMs !== undefined) response.setHeader("retry-after", `${Math.ceil(retryDelayMs / 1000)}`);
  response.setHeader("content-type", "application/json");
  response.setHeader("content-length", Buffer.byteLength(body));
  response.end(body);
}

function retryDelayOf(error: unknown): number | undefined {
  if (!(error instanceof RpcError)) return undefined;
  const hint = error.details.find((detail) => detail.kind === "retryInfo");
  return hint?.retryDelayMs;
}

/** Whether the client disconnected before the response was ended. (Node has no `destroyed` in responses of HTTP/2.) */
export function isAbandoned(response: OnePortResponse): boolean {
  if (response.writableEnded) return false;
  return "stream" in response ? !response.stream || response.stream.closed : response.destroyed;
}

/**
 * Ends a response that has begun in a way that no client mistakes it for complete: HTTP/1.1 closes the connection
 * before the last chunk, HTTP/2 resets the stream with an error. (Destroying a stream of HTTP/2 would end it without
 * one.)
 */
export function cutResponse(response: OnePortResponse): void {
  if ("stream" in response) response.stream.close(constants.NGHTTP2_INTERNAL_ERROR);
  else response.destroy();
}
