import { renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "@devicemesh/kit/testing/test-helpers";
import {
  createTokenKey,
  issueToken,
  type TokenKey,
  type TokenRequest,
} from "../src/certs/jose-token-issuer.ts";
import { createAuthority, issueCertificate, type KeyPair } from "../src/certs/x509-authority.ts";

const dayMs = 86_400_000;

/** For tests: a separate CA, whose certificates are valid from a day ago until a day from now. */
export type TestAuthority = {
  /** PEM. */
  readonly certificate: string;
  /** Issues a certificate for a server on this machine. */
  readonly server: KeyPair;
  /** Issues a certificate for a client with this name. */
  client(
    uri: string,
    times?: { readonly notBeforeMs?: number; readonly notAfterMs?: number },
  ): Promise<KeyPair>;
};

/** Creates a CA. */
export async function createTestAuthority(nowMs = Date.now()): Promise<TestAuthority> {
  const valid = { notBeforeMs: nowMs - dayMs, notAfterMs: nowMs + dayMs };
  const authority = await createAuthority({ commonName: "test CA", ...valid });
  return {
    certificate: authority.certificate,
    server: await issueCertificate(authority, {
      commonName: "localhost",
      use: "server",
      hosts: ["localhost", "127.0.0.1"],
      ...valid,
    }),
    client: (uri, times = {}) =>
      issueCertificate(authority, { commonName: "client", use: "client", uri, ...valid, ...times }),
  };
}

/** Paths of PEM files. */
export type KeyPairFiles = { readonly certificate: string; readonly key: string };

/** For tests: writes a certificate and its key into a folder, as NAME.pem and NAME-key.pem. */
export function writeKeyPair(folder: string, name: string, pair: KeyPair): KeyPairFiles {
  const files = { certificate: join(folder, `${name}.pem`), key: join(folder, `${name}-key.pem`) };
  writeFileSync(files.certificate, pair.certificate);
  writeFileSync(files.key, pair.key);
  return files;
}

/** For tests: signs tokens. */
export type TestIssuer = TokenKey & {
  /** A token of `devicemesh` for `devicemesh` that is valid for a day, with the given changes. */
  token(request?: Partial<TokenRequest>): Promise<string>;
};

/** Creates an issuer. */
export async function createTestIssuer(nowMs = Date.now()): Promise<TestIssuer> {
  const key = await createTokenKey();
  return {
    ...key,
    token: (request = {}) =>
      issueToken(key.privateKey, {
        subject: "a user",
        tokenId: "token-1",
        scopes: ["devicemesh.read"],
        issuer: "devicemesh",
        audience: "devicemesh",
        issuedMs: nowMs - 1000,
        expiresMs: nowMs + dayMs,
        ...request,
      }),
  };
}

/** For tests: the files of a server's settings: certificates, keys, deny lists. Deleted when disposed. */
export type AccessFiles = Disposable & {
  /** Writes a file atomically; returns its path. */
  write(name: string, text: string): string;
};

/** Creates a folder for them. */
export function createAccessFiles(): AccessFiles {
  const folder = temporaryFolder();
  return {
    write(name, text) {
      const path = join(folder.path, name);
      writeFileSync(`${path}.new`, text);
      renameSync(`${path}.new`, path);
      return path;
    },
    [Symbol.dispose]: () => folder[Symbol.dispose](),
  };
}

/** For tests: the settings that device and user access share, with everything off. */
export const accessOff = {
  host: "127.0.0.1",
  serverCertificate: undefined,
  serverKey: undefined,
  trustForwardedIdentity: false,
  insecureBeyondLoopback: false,
};
