import type { RpcError } from "@devicemesh/kit/rpc/rpc-error";
import { unauthenticated } from "../access-error.ts";
import type { DenyList } from "../deny-list/deny-list.ts";
import { formatSpiffeName, mayPublish, parseSpiffeName, type SpiffeName } from "./spiffe-name.ts";

/** The known properties of a certificate. Through Envoy they are only the URI and the fingerprint. */
export type CertificateFacts = {
  /** All its URIs; exactly one is expected. */
  readonly uris: readonly string[];
  /** Hexadecimal. */
  readonly serial?: string;
  /** Hexadecimal, of the whole certificate. */
  readonly sha256?: string;
  /** Ms since 1970. */
  readonly expiresMs?: number;
};

/** The sender of a stream of readings, and the devices that it may send for. */
export type Publisher = {
  readonly uri: string;
  /** Whether it may send a reading of the device. It allocates nothing, because it is called for each reading. */
  mayPublish(deviceId: string): boolean;
  /** The message for a rejected reading: the allowed devices, and the solution. */
  readonly refusalText: string;
  /** Returns why the publisher is no longer valid, if so: it expired, or was revoked. Called for each frame. */
  problem(): RpcError | undefined;
};

/**
 * Returns the publisher that a verified certificate names.
 * @throws RpcError UNAUTHENTICATED if the certificate names none in the trust domain, has expired or was revoked.
 */
export function createPublisher(
  facts: CertificateFacts,
  {
    trustDomain,
    denyList,
    clock,
  }: {
    readonly trustDomain: string;
    readonly denyList: DenyList;
    /** Ms since 1970. */
    readonly clock: () => number;
  },
): Publisher {
  const name = nameOf(facts, trustDomain);
  const uri = formatSpiffeName(name);
  const problem = (): RpcError | undefined => {
    if (facts.expiresMs !== undefined && facts.expiresMs <= clock())
      return expiredCertificate(uri, facts.expiresMs);
    return isDenied(denyList, facts, uri) ? revokedCertificate(uri) : undefined;
  };
  const now = problem();
  if (now) throw now;
  return {
    uri,
    // Ids are not cached: comparing a prefix (15 ns) costs no more than a look-up.
    mayPublish: (deviceId) => mayPublish(name, deviceId),
    refusalText: refusalText(name, uri),
    problem,
  };
}

function nameOf({ uris }: CertificateFacts, trustDomain: string): SpiffeName {
  const [uri = "", ...more] = uris;
  const name = more.length === 0 ? parseSpiffeName(uri) : undefined;
  if (name?.trustDomain === trustDomain) return name;
  const asked = `spiffe://${trustDomain}/device/<id> or spiffe://${trustDomain}/gateway/<prefix>`;
  throw unauthenticated({
    reason: "CERTIFICATE_NAME",
    message: `the certificate must have exactly one URI, ${asked}; it has ${uris.length === 0 ? "none" : uris.join(", ").slice(0, 300)}`,
    metadata: { trustDomain },
  });
}

function isDenied(denyList: DenyList, { serial, sha256 }: CertificateFacts, uri: string): boolean {
  return (
    denyList.has("uri", uri) ||
    (serial !== undefined && denyList.has("serial", serial)) ||
    (sha256 !== undefined && denyList.has("sha256", sha256))
  );
}

function expiredCertificate(uri: string, expiresMs: number): RpcError {
  const expired = new Date(expiresMs).toISOString();
  return unauthenticated({
    reason: "CERTIFICATE_EXPIRED",
    message: `the certificate of ${uri} expired at ${expired}; connect with a new one`,
    metadata: { uri, expired },
  });
}

function revokedCertificate(uri: string): RpcError {
  return unauthenticated({
    reason: "CERTIFICATE_REVOKED",
    message: `the certificate of ${uri} is revoked; connect with a new one`,
    metadata: { uri },
  });
}

function refusalText({ kind, name }: SpiffeName, uri: string): string {
  return kind === "device"
    ? `must be ${name}, the device of the certificate ${uri}; send it with the certificate of its own device or of a gateway`
    : `must be ${name} or begin with it and a separator, as the certificate ${uri} is for; send it with the certificate of its own device or gateway`;
}
