import type { Any } from "@bufbuild/protobuf/wkt";
import { type RpcCode, rpcCodeNumbers } from "./rpc-code.ts";
import { packErrorDetail, type RpcErrorDetail } from "./rpc-error-details.ts";

export type { RpcCode } from "./rpc-code.ts";
export type { RpcErrorDetail } from "./rpc-error-details.ts";

/** What a caller receives for an error that is not an RpcError. */
export const internalErrorMessage = "internal error";

/**
 * An error made for the caller of a service. `message` and `details` are what the caller is told; `cause`
 * is what only the log keeps. Every other kind of error reaches the caller as INTERNAL with a fixed text.
 */
export class RpcError extends Error {
  readonly code: RpcCode;
  readonly details: readonly RpcErrorDetail[];

  constructor(options: {
    readonly code: RpcCode;
    readonly message: string;
    readonly details?: readonly RpcErrorDetail[] | undefined;
    readonly cause?: unknown;
  }) {
    super(options.message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "RpcError";
    this.code = options.code;
    this.details = options.details ?? [];
  }
}

/**
 * INVALID_ARGUMENT for one field of a request. `field` is the path as the contract writes it
 * (`readings[3].device_id`), `reason` a constant that programs may compare.
 */
export function invalidArgument(violation: {
  readonly field: string;
  readonly description: string;
  readonly reason: string;
}): RpcError {
  return new RpcError({
    code: "INVALID_ARGUMENT",
    message: `${violation.field}: ${violation.description}`,
    details: [{ kind: "badRequest", violations: [violation] }],
  });
}

/** RESOURCE_EXHAUSTED: a written limit is passed. `subject` names what is limited. */
export function resourceExhausted(violation: {
  readonly subject: string;
  readonly description: string;
}): RpcError {
  return new RpcError({
    code: "RESOURCE_EXHAUSTED",
    message: `${violation.subject}: ${violation.description}`,
    details: [{ kind: "quotaFailure", violations: [violation] }],
  });
}

/** UNAVAILABLE: the same call may well succeed after `retryDelayMs` milliseconds. */
export function unavailable(options: {
  readonly message: string;
  readonly retryDelayMs: number;
  readonly cause?: unknown;
}): RpcError {
  return new RpcError({
    code: "UNAVAILABLE",
    message: options.message,
    details: [{ kind: "retryInfo", retryDelayMs: options.retryDelayMs }],
    cause: options.cause,
  });
}

/** An error as the wire tells it: the fields of google.rpc.Status. */
export type RpcStatus = {
  /** The number of the code. */
  readonly code: number;
  readonly message: string;
  readonly details: Any[];
  /** The caller receives less than is known: the log must keep the error itself. */
  readonly internal: boolean;
};

/**
 * What the caller receives for an error. An RpcError is returned as it is; anything else is INTERNAL with a
 * fixed text. Never throws.
 */
export function toStatus(error: unknown): RpcStatus {
  if (!(error instanceof RpcError)) {
    return { code: rpcCodeNumbers.INTERNAL, message: internalErrorMessage, details: [], internal: true };
  }
  return {
    code: rpcCodeNumbers[error.code],
    message: error.message,
    details: error.details.map(packErrorDetail),
    internal: error.code === "INTERNAL",
  };
}
