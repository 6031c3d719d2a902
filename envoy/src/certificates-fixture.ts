import { webcrypto } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
// First: the library wants its metadata store when it is loaded.
import "reflect-metadata";
import * as x509 from "@peculiar/x509";

const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
const dayMs = 86_400_000;

/** PEM files of a certificate and its key, with their texts. */
export type MadeCertificate = {
  readonly certificate: string;
  readonly key: string;
  readonly certificatePem: Buffer;
  readonly keyPem: Buffer;
};

/** For tests: an authority that signs certificates into a folder. */
export async function createAuthority(folder: string, name: string) {
  x509.cryptoProvider.set(webcrypto as Crypto);
  const keys = await newKeys();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: `CN=${name}`,
    keys,
    ...validity(),
    signingAlgorithm: algorithm,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
    ],
  });
  const file = write(folder, `${name}.pem`, certificate.toString("pem"));

  /** A certificate for a server (a DNS name) or a client (a URI). */
  async function sign(what: string, alternative: x509.JsonGeneralName): Promise<MadeCertificate> {
    const own = await newKeys();
    const signed = await x509.X509CertificateGenerator.create({
      subject: `CN=${what}`,
      issuer: certificate.subject,
      publicKey: own.publicKey,
      signingKey: keys.privateKey,
      ...validity(),
      signingAlgorithm: algorithm,
      extensions: [
        new x509.SubjectAlternativeNameExtension([alternative]),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      ],
    });
    const certificatePem = signed.toString("pem");
    const keyPem = x509.PemConverter.encode(
      await webcrypto.subtle.exportKey("pkcs8", own.privateKey),
      "PRIVATE KEY",
    );
    return {
      certificate: write(folder, `${what}.pem`, certificatePem),
      key: write(folder, `${what}-key.pem`, keyPem),
      certificatePem: Buffer.from(certificatePem),
      keyPem: Buffer.from(keyPem),
    };
  }
  return { file, pem: Buffer.from(certificate.toString("pem")), sign };
}

function newKeys(): Promise<CryptoKeyPair> {
  return webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]) as Promise<CryptoKeyPair>;
}

function validity() {
  return { notBefore: new Date(Date.now() - dayMs), notAfter: new Date(Date.now() + dayMs) };
}

function write(folder: string, name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}
