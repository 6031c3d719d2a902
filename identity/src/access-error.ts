import { RpcError } from "@devicemesh/kit/rpc/rpc-error";

/** The `domain` of the ErrorInfo of every rejection. */
export const errorDomain = "devicemesh";

/** Why a caller could not be identified: UNAUTHENTICATED, with this as the `reason` of its ErrorInfo. */
export type UnauthenticatedReason =
  | "TOKEN_MISSING"
  | "TOKEN_MALFORMED"
  | "TOKEN_EXPIRED"
  | "TOKEN_NOT_YET_VALID"
  | "TOKEN_ISSUER"
  | "TOKEN_AUDIENCE"
  | "TOKEN_SIGNATURE"
  | "TOKEN_REVOKED"
  | "CERTIFICATE_MISSING"
  | "CERTIFICATE_EXPIRED"
  | "CERTIFICATE_UNTRUSTED"
  | "CERTIFICATE_NAME"
  | "CERTIFICATE_REVOKED";

/** Why an identified caller is not allowed: PERMISSION_DENIED, with this as the `reason` of its ErrorInfo. */
export type PermissionDeniedReason = "SCOPE_MISSING" | "DEVICES_MISSING" | "RPC_CLOSED";

/** Returns UNAUTHENTICATED. The message is for users and names the solution; the rest is for programs. */
export function unauthenticated(options: {
  readonly reason: UnauthenticatedReason;
  readonly message: string;
  readonly metadata?: Readonly<Record<string, string>>;
  readonly cause?: unknown;
}): RpcError {
  return accessError("UNAUTHENTICATED", options);
}

/** Returns PERMISSION_DENIED, in the same form. */
export function permissionDenied(options: {
  readonly reason: PermissionDeniedReason;
  readonly message: string;
  readonly metadata?: Readonly<Record<string, string>>;
}): RpcError {
  return accessError("PERMISSION_DENIED", options);
}

function accessError(
  code: "UNAUTHENTICATED" | "PERMISSION_DENIED",
  {
    reason,
    message,
    metadata = {},
    cause,
  }: {
    readonly reason: string;
    readonly message: string;
    readonly metadata?: Readonly<Record<string, string>>;
    readonly cause?: unknown;
  },
): RpcError {
  return new RpcError({
    code,
    message,
    details: [{ kind: "errorInfo", reason, domain: errorDomain, metadata }],
    cause,
  });
}
