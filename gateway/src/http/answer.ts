import { RpcError } from "@devicemesh/kit/rpc/rpc-error";
import { isAbandoned } from "@devicemesh/kit/server/http-errors";
import type { OnePortResponse } from "@devicemesh/kit/server/one-port-server";
import type { RejectedValue } from "../readings/gateway-reading.ts";
import { HttpProblem } from "./http-problem.ts";

/** The response of a route. */
export type Answer = {
  readonly status: number;
  /** Sent as JSON; no body if left out. */
  readonly body?: Readonly<Record<string, unknown>>;
  readonly headers?: Readonly<Record<string, string>>;
};

/** Maximum number of rejected values that a response lists; all are counted. */
export const rejectedListMax = 100;

/** Formats rejected values for a response. */
export function listed(rejected: readonly RejectedValue[]): readonly RejectedValue[] {
  return rejected.slice(0, rejectedListMax);
}

/** Returns the field of a rule that a reading broke, by the sender's name: that of its measurement, or its device or time. */
export function fieldOf(reading: { readonly field: string }, { field }: RejectedValue): string {
  return field.startsWith("device_id") || field.startsWith("timestamp") ? field : reading.field;
}

/** Runs a route and sends the response that it returns, or the problem that it throws; other errors propagate. */
export async function answer(response: OnePortResponse, run: () => Promise<Answer>): Promise<void> {
  let result: Answer;
  try {
    result = await run();
  } catch (error) {
    result = answerOf(error);
  }
  if (isAbandoned(response)) return;
  const body = result.body === undefined ? "" : `${JSON.stringify(result.body)}\n`;
  response.statusCode = result.status;
  for (const [name, value] of Object.entries(result.headers ?? {})) response.setHeader(name, value);
  if (body !== "") response.setHeader("content-type", "application/json");
  if (result.status !== 204) response.setHeader("content-length", Buffer.byteLength(body));
  response.end(body);
}

const codes: Readonly<Record<number, string>> = {
  ...{ 400: "invalid", 401: "unauthorized", 403: "forbidden", 408: "request timeout" },
  ...{ 413: "request too large", 415: "unsupported media type", 503: "unavailable" },
};

function answerOf(error: unknown): Answer {
  const problem = problemOf(error);
  const { status, message, retryAfterMs } = problem;
  return {
    status,
    // InfluxDB's clients of both versions read the text from `message` or from `error`.
    body: { code: codes[status] ?? "internal error", message, error: message },
    headers: {
      ...(retryAfterMs !== undefined && { "retry-after": String(Math.ceil(retryAfterMs / 1000)) }),
      ...(status === 401 && { "www-authenticate": "Bearer" }),
    },
  };
}

/** @throws the error itself if its details must not be sent to the caller. */
function problemOf(error: unknown): HttpProblem {
  if (error instanceof HttpProblem) return error;
  if (!(error instanceof RpcError)) throw error;
  const status = { UNAUTHENTICATED: 401, PERMISSION_DENIED: 403 }[error.code as string];
  if (status === undefined) throw error;
  return new HttpProblem(status, error.message);
}
