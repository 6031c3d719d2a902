import type { X509Certificate } from "node:crypto";
import type { CertificateFacts } from "./publisher.ts";

/** The contents of a certificate. They do not imply that it is trusted. */
export function factsOfCertificate(certificate: X509Certificate): CertificateFacts {
  return {
    uris: urisOf(certificate.subjectAltName),
    serial: certificate.serialNumber,
    sha256: certificate.fingerprint256,
    expiresMs: certificate.validToDate.getTime(),
  };
}

/**
 * Returns the URIs in Node's text of the alternative names. Node quotes a name with a comma or other characters that
 * could be mistaken for the next name (CVE-2021-44532); such a list is not parsed at all.
 */
function urisOf(subjectAltName: string | undefined): string[] {
  if (subjectAltName === undefined || subjectAltName.includes('"')) return [];
  return subjectAltName
    .split(", ")
    .filter((name) => name.startsWith("URI:"))
    .map((name) => name.slice("URI:".length));
}
