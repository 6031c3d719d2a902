import type { DenyList } from "../deny-list/deny-list.ts";
import { clockToleranceMs } from "./jose-token-verifier.ts";
import { type IdentifyUser, malformedToken, missingToken, tokenProblem, userOf } from "./user.ts";

/** The header in which Envoy forwards the payload of a token that it has verified: base64url of JSON. */
export const forwardedTokenHeader = "x-devicemesh-jwt-payload";

/**
 * Trusts the Envoy in front: reads the payload of the token that Envoy has verified, and checks what may have changed
 * since, expiry and deny list. Use it only if no client can bypass Envoy, and only if Envoy removes the header from
 * incoming calls.
 */
export function createForwardedUserReader({
  denyList,
  clock,
  toleranceMs = clockToleranceMs,
}: {
  readonly denyList: DenyList;
  /** Ms since 1970. */
  readonly clock: () => number;
  readonly toleranceMs?: number;
}): IdentifyUser {
  return async (headers) => {
    const header = headers.get(forwardedTokenHeader);
    if (header === null || header === "") throw missingToken();
    const user = userOf(claimsOf(header));
    const problem = tokenProblem(user, { nowMs: clock(), denyList, toleranceMs });
    if (problem) throw problem;
    return user;
  };
}

function claimsOf(header: string): Readonly<Record<string, unknown>> {
  try {
    const claims: unknown = JSON.parse(Buffer.from(header, "base64url").toString("utf8"));
    if (typeof claims === "object" && claims !== null) return claims as Readonly<Record<string, unknown>>;
  } catch (error) {
    throw malformedToken(`${forwardedTokenHeader} is not base64url of JSON`, error);
  }
  throw malformedToken(`${forwardedTokenHeader} is not a JSON object`);
}
