// The library registers its parts with decorators, and needs this import first.
import "reflect-metadata";
import { isIP } from "node:net";
import * as x509 from "@peculiar/x509";

/** A private key and a certificate, as PEM. */
export type KeyPair = { readonly key: string; readonly certificate: string };

/** The purpose and the names of a certificate. */
export type LeafRequest = {
  /** For users; programs check the names below. */
  readonly commonName: string;
  readonly use: "server" | "client";
  /** DNS names and IP addresses. */
  readonly hosts?: readonly string[];
  readonly uri?: string;
  /** Ms since 1970. */
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
};

const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;

/** Creates a CA: P-256, only for certificates of servers and clients. */
export async function createAuthority({
  commonName,
  notBeforeMs,
  notAfterMs,
}: Pick<LeafRequest, "commonName" | "notBeforeMs" | "notAfterMs">): Promise<KeyPair> {
  const keys = await generateKeys();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: newSerial(),
    name: nameOf(commonName),
    notBefore: new Date(notBeforeMs),
    notAfter: new Date(notAfterMs),
    signingAlgorithm: algorithm,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { key: await pemOf(keys.privateKey), certificate: `${certificate.toString("pem")}\n` };
}

/** Creates a key and a certificate signed by the CA. */
export async function issueCertificate(authority: KeyPair, request: LeafRequest): Promise<KeyPair> {
  const issuer = new x509.X509Certificate(authority.certificate);
  const keys = await generateKeys();
  const names = [
    ...(request.hosts ?? []).map((host) => ({
      type: isIP(host) !== 0 ? ("ip" as const) : ("dns" as const),
      value: host,
    })),
    ...(request.uri === undefined ? [] : [{ type: "url" as const, value: request.uri }]),
  ];
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: newSerial(),
    subject: nameOf(request.commonName),
    issuer: issuer.subjectName,
    notBefore: new Date(request.notBeforeMs),
    notAfter: new Date(request.notAfterMs),
    signingAlgorithm: algorithm,
    publicKey: keys.publicKey,
    signingKey: await importKey(authority.key),
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([
        request.use === "server" ? x509.ExtendedKeyUsage.serverAuth : x509.ExtendedKeyUsage.clientAuth,
      ]),
      new x509.SubjectAlternativeNameExtension(names),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(issuer.publicKey),
    ],
  });
  return { key: await pemOf(keys.privateKey), certificate: `${certificate.toString("pem")}\n` };
}

async function generateKeys(): Promise<CryptoKeyPair> {
  return (await crypto.subtle.generateKey(algorithm, true, ["sign", "verify"])) as CryptoKeyPair;
}

async function importKey(pem: string): Promise<CryptoKey> {
  const [bytes] = x509.PemConverter.decode(pem);
  if (bytes === undefined) throw new Error("there is no private key in the PEM");
  return crypto.subtle.importKey("pkcs8", bytes, algorithm, false, ["sign"]);
}

async function pemOf(privateKey: CryptoKey): Promise<string> {
  const bytes = await crypto.subtle.exportKey("pkcs8", privateKey);
  return `${x509.PemConverter.encode(bytes, "PRIVATE KEY")}\n`;
}

/** 16 random bytes, the first of them from 1 to 127: positive, and encoded without a leading zero. */
function newSerial(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[0] = 1 + (bytes[0]! % 127);
  return Buffer.from(bytes).toString("hex");
}

/** The length limit of X.520; the alternative names contain longer names. */
const commonNameMax = 64;

function nameOf(commonName: string): x509.Name {
  return new x509.Name([{ O: ["Device Mesh"] }, { CN: [commonName.slice(0, commonNameMax)] }]);
}
