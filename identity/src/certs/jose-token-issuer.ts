import { calculateJwkThumbprint, exportJWK, generateKeyPair, importJWK, type JWK, SignJWT } from "jose";

/** A key pair that signs tokens, as JSON texts. */
export type TokenKey = {
  /** A private JWK. */
  readonly privateKey: string;
  /** A JWKS with the public key, for the services. */
  readonly publicKeys: string;
};

/** The claims of a token. */
export type TokenRequest = {
  readonly subject: string;
  readonly tokenId: string;
  readonly scopes: readonly string[];
  /** Devices whose readings may be sent with it: ids, and prefixes that end with `*`. */
  readonly devices?: readonly string[] | undefined;
  readonly issuer: string;
  readonly audience: string;
  /** Ms since 1970. */
  readonly issuedMs: number;
  readonly expiresMs: number;
};

/** Generates a key pair for ES256. */
export async function createTokenKey(): Promise<TokenKey> {
  const { privateKey } = await generateKeyPair("ES256", { extractable: true });
  const privateJwk = await exportJWK(privateKey);
  const kid = await calculateJwkThumbprint(privateJwk);
  return {
    privateKey: jsonOf({ ...privateJwk, kid, alg: "ES256", use: "sig" }),
    publicKeys: publicKeysOf(jsonOf({ ...privateJwk, kid, alg: "ES256", use: "sig" })),
  };
}

/** Returns the JWKS of a private JWK. */
export function publicKeysOf(privateKey: string): string {
  const { d, ...publicJwk } = JSON.parse(privateKey) as JWK;
  if (d === undefined) throw new Error("the JWK is not a private key");
  return jsonOf({ keys: [publicJwk] });
}

/** Signs a token. */
export async function issueToken(privateKey: string, request: TokenRequest): Promise<string> {
  const jwk = JSON.parse(privateKey) as JWK;
  return new SignJWT({
    scope: request.scopes.join(" "),
    ...(request.devices !== undefined && { devices: request.devices }),
  })
    .setProtectedHeader({ alg: "ES256", typ: "JWT", ...(jwk.kid === undefined ? {} : { kid: jwk.kid }) })
    .setIssuer(request.issuer)
    .setAudience(request.audience)
    .setSubject(request.subject)
    .setJti(request.tokenId)
    .setIssuedAt(Math.floor(request.issuedMs / 1000))
    .setNotBefore(Math.floor(request.issuedMs / 1000))
    .setExpirationTime(Math.floor(request.expiresMs / 1000))
    .sign(await importJWK(jwk, "ES256"));
}

function jsonOf(value: object): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
