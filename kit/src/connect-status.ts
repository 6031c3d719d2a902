import { randomUUID } from "node:crypto";
import { Code, ConnectError, type Interceptor } from "@connectrpc/connect";
import type { Logger } from "./logger.ts";
import { toStatus } from "./rpc-error.ts";

/** The header that carries the id of a request, in requests and in answers. */
export const requestIdHeader = "x-request-id";

/**
 * An error as a Connect handler may throw it, with the details attached. A ConnectError is returned as it
 * is; foreign errors are INTERNAL with a fixed text, and the original is in `cause` for the log.
 */
export function toConnectError(error: unknown): ConnectError {
  if (error instanceof ConnectError) {
    return error;
  }
  const { code, message, details } = toStatus(error);
  const connectError = new ConnectError(message, code, undefined, undefined, error);
  connectError.details = details.map((detail) => ({
    type: detail.typeUrl.split("/").at(-1)!,
    value: detail.value,
  }));
  return connectError;
}

/**
 * Translates what handlers throw, in unary calls and in streams. Put it first in the list, so that it is
 * the outermost. A ConnectError passes; a caller that went away or a deadline is told as such; an error
 * that the caller is not told (INTERNAL) is logged with the request id. Each answer carries that id in
 * `x-request-id`; a well-formed id of the request is kept.
 */
export function createErrorInterceptor(dependencies: {
  readonly logger: Logger;
  readonly createRequestId?: () => string;
}): Interceptor {
  const { logger, createRequestId = randomUUID } = dependencies;
  return (next) => async (request) => {
    const requestId = acceptedRequestId(request.header.get(requestIdHeader)) ?? createRequestId();
    const translate = (error: unknown): ConnectError =>
      abortReason(request.signal, error) ?? reportForeign(error, { logger, requestId, url: request.url });
    try {
      const response = await next(request);
      response.header.set(requestIdHeader, requestId);
      return response.stream
        ? { ...response, message: translateErrors(response.message, translate) }
        : response;
    } catch (error) {
      const connectError = translate(error);
      // Only here: what fails later has sent its headers, with the id, before.
      connectError.metadata.set(requestIdHeader, requestId);
      throw connectError;
    }
  };
}

const requestIdPattern = /^[A-Za-z0-9._:-]{1,64}$/;

function acceptedRequestId(header: string | null): string | undefined {
  return header !== null && requestIdPattern.test(header) ? header : undefined;
}

/** The reason of the aborted call, if that is all the error says. */
function abortReason(signal: AbortSignal, error: unknown): ConnectError | undefined {
  if (!signal.aborted) {
    return undefined;
  }
  const isAbort = error === signal.reason || (error instanceof Error && error.name === "AbortError");
  // Where a client on HTTP/1.1 has gone, the reason is a plain AbortError.
  return isAbort ? ConnectError.from(signal.reason, Code.Canceled) : undefined;
}

function reportForeign(
  error: unknown,
  context: { readonly logger: Logger; readonly requestId: string; readonly url: string },
): ConnectError {
  if (!(error instanceof ConnectError) && toStatus(error).internal) {
    const { pathname } = new URL(context.url, "http://host");
    context.logger.error({ error, requestId: context.requestId, method: pathname }, "request failed");
  }
  return toConnectError(error);
}

async function* translateErrors<T>(
  messages: AsyncIterable<T>,
  translate: (error: unknown) => ConnectError,
): AsyncIterable<T> {
  try {
    yield* messages;
  } catch (error) {
    throw translate(error);
  }
}
