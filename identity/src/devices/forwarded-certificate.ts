import { X509Certificate } from "node:crypto";
import { factsOfCertificate } from "./certificate-facts.ts";
import type { CertificateFacts } from "./publisher.ts";

/** The header in which Envoy forwards the properties of a client's certificate (docs: x-forwarded-client-cert). */
export const forwardedCertificateHeader = "x-forwarded-client-cert";

/** Maximum length of the header: a whole certificate in URL encoding has about 2 KiB. */
const headerCharactersMax = 16_384;

/**
 * Parses the header of one client's certificate: `Hash=…;URI=…`, or with `Cert="…"` the whole certificate, which then
 * is the only source. Undefined if it is malformed, or contains more than one client: then a client added its own
 * header before Envoy.
 */
export function parseForwardedCertificate(header: string): CertificateFacts | undefined {
  if (header === "" || header.length > headerCharactersMax) return undefined;
  const pairs = pairsOf(header);
  if (pairs === undefined) return undefined;
  const valuesOf = (key: string) => pairs.filter((pair) => pair.key === key).map(({ value }) => value);
  const [pem, secondPem] = valuesOf("cert");
  const [sha256, secondSha256] = valuesOf("hash");
  if (secondPem !== undefined || secondSha256 !== undefined) return undefined;
  if (pem !== undefined) return factsOfPem(pem);
  return { uris: valuesOf("uri"), ...(sha256 === undefined ? {} : { sha256 }) };
}

type Pair = { readonly key: string; readonly value: string };

/** Parses `key=value` pairs separated by semicolons; in a quoted value a backslash escapes quotes. */
function pairsOf(header: string): Pair[] | undefined {
  const pairs: Pair[] = [];
  const pattern = /([A-Za-z]+)=(?:"((?:[^"\\]|\\.)*)"|([^";,=\\]*))(;|$)/y;
  while (pattern.lastIndex < header.length) {
    const match = pattern.exec(header);
    if (match === null) return undefined;
    const [, key = "", quoted, plain = ""] = match;
    pairs.push({ key: key.toLowerCase(), value: quoted?.replace(/\\(.)/g, "$1") ?? plain });
  }
  return pairs;
}

function factsOfPem(urlEncoded: string): CertificateFacts | undefined {
  try {
    return factsOfCertificate(new X509Certificate(decodeURIComponent(urlEncoded)));
  } catch {
    return undefined;
  }
}
