import type { RpcError } from "@devicemesh/kit/rpc/rpc-error";
import { permissionDenied, unauthenticated } from "../access-error.ts";
import { type DenyList, isWritableTokenId } from "../deny-list/deny-list.ts";
import { isDeviceClaim } from "../senders/device-claim.ts";
import { needOf } from "./scopes.ts";

/** The user of a token. */
export type User = {
  readonly subject: string;
  /** The token's own id (`jti`), by which it can be revoked. */
  readonly tokenId: string;
  readonly scopes: ReadonlySet<string>;
  /** Devices whose readings it may send (the claim `devices`): ids, and prefixes that end with `*`. */
  readonly devices?: readonly string[];
  /** Ms since 1970. */
  readonly expiresMs: number;
};

/** Identifies the caller from the headers of a call. Rejects with an RpcError UNAUTHENTICATED. */
export type IdentifyUser = (headers: Pick<Headers, "get">) => Promise<User>;

/** Returns why a user's token is no longer valid, if so; it was valid when it was read. */
export function tokenProblem(
  user: User,
  {
    nowMs,
    denyList,
    toleranceMs,
  }: { readonly nowMs: number; readonly denyList: DenyList; readonly toleranceMs: number },
): RpcError | undefined {
  if (user.expiresMs + toleranceMs <= nowMs) return expiredToken(user.expiresMs);
  if (!denyList.has("token", user.tokenId)) return undefined;
  return unauthenticated({
    reason: "TOKEN_REVOKED",
    message: "the token is revoked; request a new one",
    metadata: { tokenId: user.tokenId },
  });
}

/** Returns why a user may not call an RPC, if so. */
export function scopeProblem(
  user: User,
  { service, method }: { readonly service: string; readonly method: string },
): RpcError | undefined {
  const need = needOf(service, method);
  if (need?.kind === "nothing") return undefined;
  const rpc = `${service}/${method}`;
  if (need?.kind !== "scope") {
    return permissionDenied({ reason: "RPC_CLOSED", message: `no token allows ${rpc}`, metadata: { rpc } });
  }
  if (user.scopes.has(need.scope)) return undefined;
  return permissionDenied({
    reason: "SCOPE_MISSING",
    message: `${rpc} needs a token with the scope ${need.scope}`,
    metadata: { rpc, scope: need.scope, scopes: [...user.scopes].join(" ") },
  });
}

/** The error for an expired token. */
export function expiredToken(expiresMs: number): RpcError {
  const expired = new Date(expiresMs).toISOString();
  return unauthenticated({
    reason: "TOKEN_EXPIRED",
    message: `the token expired at ${expired}; request a new one`,
    metadata: { expired },
  });
}

/** The error for a call without a token. */
export function missingToken(): RpcError {
  return unauthenticated({
    reason: "TOKEN_MISSING",
    message: "there is no token; send the header `authorization: Bearer <token>`",
  });
}

/** The error for an invalid token. `what` names the problem. */
export function malformedToken(what: string, cause?: unknown): RpcError {
  return unauthenticated({ reason: "TOKEN_MALFORMED", message: `the token is not one: ${what}`, cause });
}

/**
 * Returns the user in a token's claims.
 * @throws RpcError UNAUTHENTICATED if a required claim is missing: `sub`, `exp` or `jti`; or if the `jti` cannot be
 * written into a deny list, because such a token could not be revoked.
 */
export function userOf(claims: Readonly<Record<string, unknown>>): User {
  const { sub, jti, exp, scope, devices } = claims;
  if (typeof sub !== "string" || sub === "") throw malformedToken("it has no subject (sub)");
  if (typeof jti !== "string" || jti === "") throw malformedToken("it has no id (jti)");
  if (!isWritableTokenId(jti)) {
    throw malformedToken("its id (jti) must have no blanks and not begin with #, or it could not be revoked");
  }
  if (typeof exp !== "number" || !Number.isFinite(exp)) throw malformedToken("it has no expiry (exp)");
  if (devices !== undefined && !isDeviceClaim(devices)) {
    throw malformedToken("its devices must be a list of device ids, and of prefixes with * at their end");
  }
  const words = typeof scope === "string" ? scope.split(" ").filter((word) => word !== "") : [];
  return {
    subject: sub,
    tokenId: jti,
    scopes: new Set(words),
    ...(devices !== undefined && { devices }),
    expiresMs: exp * 1000,
  };
}
