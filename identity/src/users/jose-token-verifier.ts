import { RpcError } from "@devicemesh/kit/rpc/rpc-error";
import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTVerifyGetKey, jwtVerify } from "jose";
import { unauthenticated } from "../access-error.ts";
import type { DenyList } from "../deny-list/deny-list.ts";
import {
  expiredToken,
  type IdentifyUser,
  malformedToken,
  missingToken,
  tokenProblem,
  type User,
  userOf,
} from "./user.ts";

/** Number of verified tokens in the cache; beyond it, the one that was verified first is dropped. 1 KiB each. */
export const rememberedTokensMax = 4096;

/** Default tolerance between clocks, in ms. */
export const clockToleranceMs = 5000;

/** The keys that sign tokens, in jose's form. Parsed once for each set of keys. */
export type TokenKeys = JWTVerifyGetKey;

/**
 * Parses the keys of a JWKS.
 * @throws Error if it is not a JWKS, or contains a private key, which must not be distributed.
 */
export function parseTokenKeys(text: string): TokenKeys {
  const set = JSON.parse(text) as JSONWebKeySet;
  const keys = createLocalJWKSet(set);
  if (set.keys.length === 0) throw new Error("the JWKS has no keys");
  if (set.keys.some((key) => "d" in key || "k" in key)) {
    throw new Error("the JWKS has a private key in it; services need only the public ones");
  }
  return keys;
}

/**
 * Creates a verifier of the bearer tokens of calls: signed with ES256 by one of the keys, from the issuer, for the
 * audience, within its lifetime, not revoked. `keys` is called each time; when it returns other keys, every token is
 * verified again.
 */
export function createTokenVerifier({
  keys,
  issuer,
  audience,
  denyList,
  clock,
  toleranceMs = clockToleranceMs,
}: {
  readonly keys: () => TokenKeys;
  readonly issuer: string;
  readonly audience: string;
  readonly denyList: DenyList;
  /** Ms since 1970. */
  readonly clock: () => number;
  readonly toleranceMs?: number;
}): IdentifyUser {
  const remembered = new Map<string, User>();
  let rememberedKeys = keys();

  async function verify(token: string): Promise<User> {
    const known = remembered.get(token);
    if (known) return known;
    try {
      const { payload } = await jwtVerify(token, rememberedKeys, {
        algorithms: ["ES256"],
        issuer,
        audience,
        requiredClaims: ["exp", "iss", "aud", "sub", "jti"],
        clockTolerance: toleranceMs / 1000,
        currentDate: new Date(clock()),
      });
      const user = userOf(payload);
      if (remembered.size >= rememberedTokensMax) remembered.delete(remembered.keys().next().value!);
      remembered.set(token, user);
      return user;
    } catch (error) {
      throw refusalOf(error, { issuer, audience });
    }
  }

  return async (headers) => {
    if (keys() !== rememberedKeys) {
      rememberedKeys = keys();
      remembered.clear();
    }
    const token = bearerToken(headers.get("authorization"));
    const user = await verify(token);
    const problem = tokenProblem(user, { nowMs: clock(), denyList, toleranceMs });
    if (problem) throw problem;
    return user;
  };
}

function bearerToken(header: string | null): string {
  if (header === null || header.trim() === "") throw missingToken();
  const [, token] = /^bearer +([A-Za-z0-9._-]+)$/i.exec(header.trim()) ?? [];
  if (token === undefined) throw malformedToken("the header must be `authorization: Bearer <token>`");
  return token;
}

/** The messages for callers about errors of jose. jose's own messages stay in the log. */
function refusalOf(
  error: unknown,
  { issuer, audience }: { readonly issuer: string; readonly audience: string },
): unknown {
  if (error instanceof RpcError || !(error instanceof errors.JOSEError)) return error;
  if (error instanceof errors.JWTExpired) return expiredToken((error.payload.exp ?? 0) * 1000);
  if (error instanceof errors.JWTClaimValidationFailed) {
    return claimRefusal(error.claim, { issuer, audience }) ?? malformedToken(error.message);
  }
  if (
    error instanceof errors.JWSSignatureVerificationFailed ||
    error instanceof errors.JWKSNoMatchingKey ||
    error instanceof errors.JWKSMultipleMatchingKeys ||
    error instanceof errors.JOSEAlgNotAllowed
  ) {
    const message = "the token is not signed with ES256 by a known key; request a new one";
    return unauthenticated({ reason: "TOKEN_SIGNATURE", message });
  }
  return malformedToken("a signed JWT in compact form is expected");
}

function claimRefusal(
  claim: string,
  { issuer, audience }: { readonly issuer: string; readonly audience: string },
): RpcError | undefined {
  if (claim === "iss") {
    const message = `the token is from another issuer; it must be from ${issuer}`;
    return unauthenticated({ reason: "TOKEN_ISSUER", message, metadata: { issuer } });
  }
  if (claim === "aud") {
    const message = `the token is for another audience; it must be for ${audience}`;
    return unauthenticated({ reason: "TOKEN_AUDIENCE", message, metadata: { audience } });
  }
  if (claim === "nbf") {
    return unauthenticated({
      reason: "TOKEN_NOT_YET_VALID",
      message: "the token is not valid yet; check the clocks",
    });
  }
  return undefined;
}
