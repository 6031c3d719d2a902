import { randomUUID, X509Certificate } from "node:crypto";
import type { CredentialFolder } from "./credential-folder.ts";
import {
  authorityFiles,
  type CertificatePlan,
  planCertificates,
  planDeviceTokens,
  planUsers,
  type UserPlan,
} from "./credential-plan.ts";
import { createTokenKey, issueToken, publicKeysOf } from "./jose-token-issuer.ts";
import type { CertsConfig } from "./settings.ts";
import { certificateIn, goodToken, isGoodAuthority, isGoodCertificate } from "./still-valid.ts";
import { createAuthority, issueCertificate, type KeyPair } from "./x509-authority.ts";

/** An existing credential. */
export type Credential = {
  readonly what: string;
  /** File names in the folder. */
  readonly files: readonly string[];
  readonly made: boolean;
  /** Ms since 1970; undefined for a key that does not expire. */
  readonly expiresMs: number | undefined;
  /** The line of the deny list that revokes it; empty if it cannot be revoked that way. */
  readonly denyLine: string;
};

const dayMs = 86_400_000;
const authorityValidMs = 3650 * dayMs;
/** Tolerance for clocks that are behind. */
const backdatedMs = 5 * 60_000;
/**
 * A certificate or token is renewed when less than this share of its lifetime is left: of 90 days 30, long before any
 * alert.
 */
const leftMin = 1 / 3;

/**
 * Makes every credential that the settings request, and keeps those that are still valid. If the CA or the key of
 * tokens is missing, everything that they signed is renewed too.
 * @throws RangeError if a device id, a prefix or the trust domain is not valid.
 */
export async function makeCredentials(
  config: CertsConfig,
  { folder, nowMs }: { readonly folder: CredentialFolder; readonly nowMs: number },
): Promise<Credential[]> {
  const plans = planCertificates(config);
  const authority = await authorityOf(config, folder, nowMs);
  const certificates: Credential[] = [];
  for (const plan of plans)
    certificates.push(await certificateOf(plan, { authority, config, folder, nowMs }));
  const tokenKey = await tokenKeyOf(folder);
  const tokens: Credential[] = [];
  for (const plan of [...planUsers, ...planDeviceTokens(config)])
    tokens.push(await tokenOf(plan, { ...tokenKey, config, folder, nowMs }));
  if (folder.read(authorityFiles.denyList) === undefined)
    folder.writePublic(authorityFiles.denyList, denyListText);
  return [authority.credential, ...certificates, tokenKey.credential, ...tokens];
}

const denyListText = `# What is revoked, an entry a line; services read it again when it changes. For example:
#   serial 3f:a2:…            a certificate, by its serial number
#   sha256 ab:cd:…            a certificate, by its fingerprint (all that is known of it behind Envoy but its name)
#   uri spiffe://…/device/id  every certificate of this name
#   token reader-…            a user's token, by its id (jti)
#   none                      instead of entries: lifts all that were revoked
`;

type Making = { readonly config: CertsConfig; readonly folder: CredentialFolder; readonly nowMs: number };

async function authorityOf({ validFor }: CertsConfig, folder: CredentialFolder, nowMs: number) {
  const { certificate: certificateFile, key: keyFile } = authorityFiles;
  const known = certificateIn({ key: folder.read(keyFile), certificate: folder.read(certificateFile) });
  const isKept = known !== undefined && isGoodAuthority(known.x509, { nowMs, atLeastMs: nowMs + validFor });
  const times = { notBeforeMs: nowMs - backdatedMs, notAfterMs: nowMs + authorityValidMs };
  const pair = isKept ? known.pair : await createAuthority({ commonName: "Development CA", ...times });
  folder.writePrivate(keyFile, pair.key);
  folder.writePublic(certificateFile, pair.certificate);
  const x509 = new X509Certificate(pair.certificate);
  return { pair, x509, credential: credentialOf("CA", [certificateFile, keyFile], x509, !isKept) };
}

async function certificateOf(
  plan: CertificatePlan,
  {
    authority,
    config,
    folder,
    nowMs,
  }: Making & { readonly authority: { readonly pair: KeyPair; readonly x509: X509Certificate } },
): Promise<Credential> {
  const { certificateFile, keyFile } = plan;
  const known = certificateIn({ key: folder.read(keyFile), certificate: folder.read(certificateFile) });
  const good = { authority: authority.x509, nowMs, atLeastMs: nowMs + leftMin * config.validFor };
  const isKept = !config.renew && known !== undefined && isGoodCertificate(known.x509, plan, good);
  const times = { notBeforeMs: nowMs - backdatedMs, notAfterMs: nowMs + config.validFor };
  const pair = isKept
    ? known.pair
    : await issueCertificate(authority.pair, { ...plan, commonName: plan.name, ...times });
  folder.writePrivate(keyFile, pair.key);
  folder.writePublic(certificateFile, pair.certificate);
  const what = plan.kind === "server" ? "server" : `${plan.kind} ${plan.name}`;
  return credentialOf(what, [certificateFile, keyFile], new X509Certificate(pair.certificate), !isKept);
}

async function tokenKeyOf(folder: CredentialFolder) {
  const { tokenKey: keyFile, publicKeys: publicFile } = authorityFiles;
  const known = tokenKeyIn(folder.read(keyFile));
  const key = known ?? (await createTokenKey());
  folder.writePrivate(keyFile, key.privateKey);
  folder.writePublic(publicFile, key.publicKeys);
  const credential: Credential = {
    what: "key of tokens",
    files: [publicFile, keyFile],
    made: known === undefined,
    expiresMs: undefined,
    denyLine: "",
  };
  return { ...key, credential };
}

function tokenKeyIn(privateKey: string | undefined) {
  if (privateKey === undefined) return undefined;
  try {
    return { privateKey, publicKeys: publicKeysOf(privateKey) };
  } catch {
    return undefined;
  }
}

async function tokenOf(
  plan: UserPlan,
  {
    privateKey,
    publicKeys,
    config,
    folder,
    nowMs,
  }: Making & { readonly privateKey: string; readonly publicKeys: string },
): Promise<Credential> {
  const { tokenIssuer: issuer, tokenAudience: audience } = config;
  const known = folder.read(plan.tokenFile);
  const good = { publicKeys, issuer, audience, nowMs, atLeastMs: nowMs + leftMin * config.validFor };
  const kept = config.renew ? undefined : await goodToken(known, plan, good);
  const tokenId = kept?.tokenId ?? `${plan.name}-${randomUUID()}`;
  const expiresMs = kept?.expiresMs ?? nowMs + config.validFor;
  const token =
    kept && known !== undefined
      ? known
      : `${await issueToken(privateKey, { subject: plan.name, tokenId, scopes: plan.scopes, devices: plan.devices, issuer, audience, issuedMs: nowMs - backdatedMs, expiresMs })}\n`;
  folder.writePrivate(plan.tokenFile, token);
  const what = `${plan.kind} ${plan.name} (${plan.devices?.join(" ") ?? plan.scopes.join(" ")})`;
  return { what, files: [plan.tokenFile], made: kept === undefined, expiresMs, denyLine: `token ${tokenId}` };
}

function credentialOf(
  what: string,
  files: readonly string[],
  x509: X509Certificate,
  made: boolean,
): Credential {
  const expiresMs = x509.validToDate.getTime();
  return {
    what,
    files,
    made,
    expiresMs,
    denyLine: x509.ca ? "" : `serial ${x509.serialNumber.toLowerCase()}`,
  };
}
