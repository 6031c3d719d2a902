import type { Any } from "@bufbuild/protobuf/wkt";
import { type RpcCode, rpcCodeNumbers } from "./rpc-code.ts";
import { packErrorDetail, type RpcErrorDetail } from "./rpc-error-details.ts";

export type { RpcCode } from "./rpc-code.ts";
export type { RpcErrorDetail } from "./rpc-error-details.ts";

/** The message for callers of an error that is not an RpcError. */
export const internalErrorMessage = "internal error";

/**
 * An error for the caller of a service. The caller receives `message` and `details`; only the log keeps `cause`. Every
 * other kind of error reaches the caller as INTERNAL with a fixed text.
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
 * Returns INVALID_ARGUMENT for one field of a request. `field` is its path in the contract (`readings[3].device_id`),
 * `reason` a constant that programs may compare.
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

/**
 * Returns RESOURCE_EXHAUSTED: a limit is exceeded. `subject` names the limited resource. With `retryDelayMs`, the same
 * call may succeed after so many milliseconds.
 */
export function resourceExhausted(options: {
  readonly subject: string;
  readonly description: string;
  readonly retryDelayMs?: number;
  /** Subject and description by default. */
  readonly message?: string;
  readonly cause?: unknown;
}): RpcError {
  const { subject, description, retryDelayMs, message = `${subject}: ${description}`, cause } = options;
  return new RpcError({
    code: "RESOURCE_EXHAUSTED",
    message,
    details: [
      { kind: "quotaFailure", violations: [{ subject, description }] },
      ...(retryDelayMs === undefined ? [] : [{ kind: "retryInfo", retryDelayMs } as const]),
    ],
    cause,
  });
}

/** Returns UNAVAILABLE: the same call may succeed after `retryDelayMs` milliseconds. */
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

/** An error in its form on the wire: the fields of google.rpc.Status. */
export type RpcStatus = {
  /** The number of the code. */
  readonly code: number;
  readonly message: string;
  readonly details: Any[];
  /** The caller receives less than is known: the log must record the error itself. */
  readonly internal: boolean;
};

/**
 * Returns the caller's view of an error. An RpcError is returned unchanged; anything else is INTERNAL with a
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
