import { randomUUID } from "node:crypto";
import {
  Code,
  ConnectError,
  createContextKey,
  type HandlerContext,
  type Interceptor,
} from "@connectrpc/connect";
import type { Logger } from "../observability/logger.ts";
import { type RpcCode, rpcCodeNumbers } from "./rpc-code.ts";
import { RpcError, toStatus } from "./rpc-error.ts";

/** The header with the id of a request, in requests and in responses. */
export const requestIdHeader = "x-request-id";

/**
 * Returns an error that a Connect handler may throw, with the details attached. A ConnectError is returned unchanged;
 * foreign errors are INTERNAL with a fixed text, and the original is in `cause` for the log.
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
 * The inverse: returns an error of Connect as an RpcError with the same code, text and details. Other errors, and codes
 * that services do not use, are returned unchanged.
 */
export function fromConnectError(error: unknown): unknown {
  if (!(error instanceof ConnectError)) return error;
  if (error.cause instanceof RpcError) return error.cause;
  const code = rpcCodes.find((name) => rpcCodeNumbers[name] === error.code);
  return code === undefined ? error : new RpcError({ code, message: error.rawMessage, cause: error.cause });
}

const rpcCodes = Object.keys(rpcCodeNumbers) as readonly RpcCode[];

/** The dependencies of the translation of errors. */
type ErrorTranslation = { readonly logger: Logger; readonly createRequestId?: () => string };

/**
 * Translates the errors of handlers, in unary calls and in streams. Put it first in the list, so that it is the
 * outermost. A ConnectError passes unchanged. The failure of a call whose client disconnected or whose deadline passed
 * is returned as such. An error whose text the caller does not receive (INTERNAL) is logged with the request id. Each
 * response has that id in `x-request-id`; a well-formed id of the request is kept.
 */
export function createErrorInterceptor({
  logger,
  createRequestId = randomUUID,
}: ErrorTranslation): Interceptor {
  return (next) => async (request) => {
    const requestId = acceptedRequestId(request.header.get(requestIdHeader)) ?? createRequestId();
    const translate = (error: unknown): ConnectError =>
      abortReason(request.signal, error, logger) ??
      reportForeign(error, { logger, requestId, url: request.url });
    try {
      const response = await next(request);
      response.header.set(requestIdHeader, requestId);
      return response.stream
        ? { ...response, message: translateErrors(response.message, translate) }
        : response;
    } catch (error) {
      const connectError = translate(error);
      // Only here: a later failure has sent its headers, with the id, before.
      connectError.metadata.set(requestIdHeader, requestId);
      throw connectError;
    }
  };
}

/** Decides by the headers of a call whether to accept it, and rejects if not. */
export type CheckCall = (context: HandlerContext) => Promise<void>;

/** Whether the gate has accepted the call. */
const acceptedKey = createContextKey(false, { description: "accepted" });

/**
 * The gate of a router: runs `check` before the body of a request is read, and translates its rejection like the
 * interceptor, which a rejected call never reaches. `onRejected` receives the error. A call is checked once, also if it
 * is handled again: a malformed one, or one that `createGrpcUnary` leaves to Connect.
 */
export function createRequestGate(
  check: CheckCall,
  {
    logger,
    createRequestId = randomUUID,
    onRejected,
  }: ErrorTranslation & {
    readonly onRejected?: ((context: HandlerContext, error: ConnectError) => void) | undefined;
  },
): CheckCall {
  return async (context) => {
    if (context.values.get(acceptedKey)) return;
    try {
      await check(context);
      context.values.set(acceptedKey, true);
    } catch (error) {
      const requestId = acceptedRequestId(context.requestHeader.get(requestIdHeader)) ?? createRequestId();
      const connectError = reportForeign(error, { logger, requestId, url: context.url });
      connectError.metadata.set(requestIdHeader, requestId);
      onRejected?.(context, connectError);
      throw connectError;
    }
  };
}

const requestIdPattern = /^[A-Za-z0-9._:-]{1,64}$/;

function acceptedRequestId(header: string | null): string | undefined {
  return header !== null && requestIdPattern.test(header) ? header : undefined;
}

/**
 * Returns the cause of an aborted call, whatever failed because of it: an interrupted database or a truncated body has
 * errors of its own, which add nothing. An error that is meant for the caller passes.
 */
function abortReason(signal: AbortSignal, error: unknown, logger: Logger): ConnectError | undefined {
  if (!signal.aborted || (error instanceof ConnectError && error !== signal.reason)) return undefined;
  if (error instanceof RpcError && error.code !== "INTERNAL") return undefined;
  if (error !== signal.reason) logger.debug({ error }, "a call failed after it was aborted");
  // A client of HTTP/1.1 that disconnects, such as a closed tab, gives no reason of its own.
  return signal.reason instanceof ConnectError
    ? signal.reason
    : new ConnectError("the client disconnected", Code.Canceled, undefined, undefined, error);
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
