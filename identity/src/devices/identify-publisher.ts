import { X509Certificate } from "node:crypto";
import type { TlsPeer } from "@devicemesh/kit/server/tls-termination";
import { unauthenticated } from "../access-error.ts";
import type { DenyList } from "../deny-list/deny-list.ts";
import { factsOfCertificate } from "./certificate-facts.ts";
import { forwardedCertificateHeader, parseForwardedCertificate } from "./forwarded-certificate.ts";
import { type CertificateFacts, createPublisher, type Publisher } from "./publisher.ts";

/** The properties of a call that identify its sender; every call of grpc-js has them. */
export type IdentifiedCall = {
  /** Returns `address:port` of the peer of the connection. */
  getPeer(): string;
  readonly metadata: { get(key: string): readonly (string | Buffer)[] };
};

/**
 * Identifies the sender of a stream. Called once for each stream.
 * @throws RpcError UNAUTHENTICATED with the reason.
 */
export type IdentifyPublisher = (call: IdentifiedCall) => Publisher;

/** The rules for publishers. */
export type PublisherTrust = {
  readonly trustDomain: string;
  readonly denyList: DenyList;
  /** Ms since 1970. */
  readonly clock: () => number;
};

/** Identifies publishers by the certificate of the connection, which TLS verified in this process. */
export function createPublisherFromTls(
  trust: PublisherTrust,
  peerOf: (address: string) => TlsPeer | undefined,
): IdentifyPublisher {
  // A connection's certificate is read once, however many streams it carries.
  const known = new WeakMap<TlsPeer, CertificateFacts>();

  function factsOf(peer: TlsPeer | undefined): CertificateFacts {
    if (peer === undefined || peer.kind === "none") throw missingCertificate();
    if (peer.kind === "refused") throw untrustedCertificate(peer.reason);
    const facts = known.get(peer) ?? factsOfCertificate(new X509Certificate(peer.certificate));
    known.set(peer, facts);
    return facts;
  }
  return (call) => createPublisher(factsOf(peerOf(call.getPeer())), trust);
}

/**
 * Trusts the Envoy in front, which has verified the certificate and forwards its properties. Use it only if no client
 * can bypass Envoy, and only if Envoy sets the header itself (SANITIZE_SET).
 */
export function createPublisherFromHeader(trust: PublisherTrust): IdentifyPublisher {
  return (call) => {
    const [header, ...more] = call.metadata.get(forwardedCertificateHeader);
    if (header === undefined || header === "") throw missingCertificate();
    const facts = more.length === 0 ? parseForwardedCertificate(String(header)) : undefined;
    if (facts === undefined) {
      throw unauthenticated({
        reason: "CERTIFICATE_UNTRUSTED",
        message: `${forwardedCertificateHeader} does not hold exactly one certificate; connect through Envoy's listener for devices`,
      });
    }
    return createPublisher(facts, trust);
  };
}

function missingCertificate() {
  return unauthenticated({
    reason: "CERTIFICATE_MISSING",
    message: "there is no client certificate; connect with TLS and the certificate of the device or gateway",
  });
}

function untrustedCertificate(openSslReason: string) {
  const isExpired = openSslReason === "CERT_HAS_EXPIRED";
  return unauthenticated({
    reason: isExpired ? "CERTIFICATE_EXPIRED" : "CERTIFICATE_UNTRUSTED",
    message: isExpired
      ? "the client certificate is expired; connect with a new one"
      : `the client certificate is not trusted here (${openSslReason}); connect with one that the devices' CA has signed`,
    metadata: { verification: openSslReason },
  });
}
