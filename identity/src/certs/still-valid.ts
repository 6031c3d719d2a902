import { createPrivateKey, X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import { emptyDenyList } from "../deny-list/deny-list.ts";
import { factsOfCertificate } from "../devices/certificate-facts.ts";
import { createTokenVerifier, parseTokenKeys } from "../users/jose-token-verifier.ts";
import type { User } from "../users/user.ts";
import type { CertificatePlan, UserPlan } from "./credential-plan.ts";
import type { KeyPair } from "./x509-authority.ts";

/** The time until which a kept credential must be valid, in ms since 1970. */
export type GoodUntil = { readonly nowMs: number; readonly atLeastMs: number };

/** Parses a key and a certificate; undefined if they are not valid. */
export function certificateIn({
  key,
  certificate,
}: {
  key: string | undefined;
  certificate: string | undefined;
}) {
  if (key === undefined || certificate === undefined) return undefined;
  try {
    const x509 = new X509Certificate(certificate);
    if (!x509.checkPrivateKey(createPrivateKey(key))) return undefined;
    return { pair: { key, certificate } satisfies KeyPair, x509 };
  } catch {
    return undefined;
  }
}

/** Whether a CA may sign certificates that are valid until `atLeastMs`. */
export function isGoodAuthority(x509: X509Certificate, { nowMs, atLeastMs }: GoodUntil): boolean {
  return x509.ca && x509.validFromDate.getTime() <= nowMs && x509.validToDate.getTime() >= atLeastMs;
}

/** Whether a certificate matches the plan, was signed by this CA, and is valid long enough. */
export function isGoodCertificate(
  x509: X509Certificate,
  plan: CertificatePlan,
  { authority, nowMs, atLeastMs }: GoodUntil & { readonly authority: X509Certificate },
): boolean {
  const { uris, expiresMs = 0 } = factsOfCertificate(x509);
  return (
    x509.verify(authority.publicKey) &&
    x509.validFromDate.getTime() <= nowMs &&
    expiresMs >= atLeastMs &&
    uris.join() === (plan.uri ?? "") &&
    plan.hosts.every((host) => (isIP(host) ? x509.checkIP(host) : x509.checkHost(host)) !== undefined)
  );
}

/** Returns the user of a token, if it matches the plan, verifies, and is valid long enough. */
export async function goodToken(
  token: string | undefined,
  plan: UserPlan,
  {
    publicKeys,
    issuer,
    audience,
    nowMs,
    atLeastMs,
  }: GoodUntil & { readonly publicKeys: string; readonly issuer: string; readonly audience: string },
): Promise<User | undefined> {
  if (token === undefined) return undefined;
  const keys = parseTokenKeys(publicKeys);
  const identify = createTokenVerifier({
    keys: () => keys,
    issuer,
    audience,
    denyList: emptyDenyList,
    clock: () => nowMs,
  });
  try {
    const user = await identify(new Headers({ authorization: `Bearer ${token.trim()}` }));
    const isAsked = user.subject === plan.name && [...user.scopes].join() === plan.scopes.join();
    const isForThem = (user.devices ?? []).join() === (plan.devices ?? []).join();
    return isAsked && isForThem && user.expiresMs >= atLeastMs ? user : undefined;
  } catch {
    return undefined;
  }
}
