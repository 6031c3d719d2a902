import type { X509Certificate } from "node:crypto";
import type { CertificateFacts } from "./publisher.ts";

/** What a certificate says of its bearer. Whether to believe it is another question. */
export function factsOfCertificate(certificate: X509Certificate): CertificateFacts {
  return {
    uris: urisOf(certificate.subjectAltName),
    serial: certificate.serialNumber,
    sha256: certificate.fingerprint256,
    expiresMs: certificate.validToDate.getTime(),
  };
}

/**
 * The URIs in Node's text of the alternative names. Node puts a name in quotes if it has a comma or something
 * else in it that could pass for the next name (CVE-2021-44532); such a list is not taken apart at all.
 */
function urisOf(subjectAltName: string | undefined): string[] {
  if (subjectAltName === undefined || subjectAltName.includes('"')) return [];
  return subjectAltName
    .split(", ")
    .filter((name) => name.startsWith("URI:"))
    .map((name) => name.slice("URI:".length));
}
