import { X509Certificate } from "node:crypto";
import { describe, expect, it } from "vitest";
import { createTestAuthority } from "../../testing/test-credentials.ts";
import { createAuthority, issueCertificate } from "../certs/x509-authority.ts";
import { factsOfCertificate } from "./certificate-facts.ts";
import { parseForwardedCertificate } from "./forwarded-certificate.ts";

const oven = "spiffe://devicemesh/device/oven";

describe("parseForwardedCertificate", () => {
  it("reads the name and the fingerprint of Envoy's header, in any order", () => {
    expect(parseForwardedCertificate(`Hash=ab12;URI=${oven}`)).toEqual({ uris: [oven], sha256: "ab12" });
    expect(parseForwardedCertificate(`By=spiffe://a/b;uri=${oven};Subject="O=a;b, \\"c\\",URI=x"`)).toEqual({
      uris: [oven],
    });
    expect(parseForwardedCertificate(`URI="${oven}"`)).toEqual({ uris: [oven] });
  });

  it("reads name and fingerprint from the certificate if Envoy forwards it", async () => {
    const { certificate } = await (await createTestAuthority()).client(oven);
    const facts = parseForwardedCertificate(
      `Hash=ab;URI=spiffe://x/device/y;Cert="${encodeURIComponent(certificate)}"`,
    );
    const { serialNumber, fingerprint256, validToDate } = new X509Certificate(certificate);
    expect(facts).toEqual({
      uris: [oven],
      serial: serialNumber,
      sha256: fingerprint256,
      expiresMs: validToDate.getTime(),
    });
  });

  it.each([
    "",
    "oven",
    `URI=${oven},URI=${oven}`,
    `Hash=a;URI=${oven},By=x`,
    `URI="${oven}`,
    `URI=${oven};Hash=a;Hash=b`,
    `URI=${oven};;Hash=a`,
    'Cert="abc"',
    `URI=${oven}${"a".repeat(20_000)}`,
  ])("returns undefined for %j", (header) => {
    expect(parseForwardedCertificate(header.slice(0, 20_000))).toBeUndefined();
  });
});

describe("factsOfCertificate", () => {
  it("does not accept a name within a name", async () => {
    const times = { notBeforeMs: Date.now() - 1000, notAfterMs: Date.now() + 100_000 };
    const authority = await createAuthority({ commonName: "CA", ...times });
    const { certificate } = await issueCertificate(authority, {
      commonName: "client",
      use: "client",
      uri: `https://a/, URI:${oven}, URI:b`,
      ...times,
    });
    expect(new X509Certificate(certificate).subjectAltName).toContain(`URI:${oven}`);
    expect(factsOfCertificate(new X509Certificate(certificate)).uris).toEqual([]);
  });

  it("finds no name in a certificate that has none", async () => {
    const { server } = await createTestAuthority();
    expect(factsOfCertificate(new X509Certificate(server.certificate)).uris).toEqual([]);
  });
});
