import { formatSpiffeName } from "../devices/spiffe-name.ts";
import type { Scope } from "../users/scopes.ts";
import type { CertsConfig } from "./settings.ts";

/** A certificate to be there, and where. */
export type CertificatePlan = {
  readonly kind: "server" | "device" | "gateway";
  /** The device's id, the gateway's prefix, or `server`. */
  readonly name: string;
  readonly use: "server" | "client";
  readonly hosts: readonly string[];
  readonly uri?: string;
  /** File names in the folder. */
  readonly certificateFile: string;
  readonly keyFile: string;
};

/** A user's token to be there, and where. */
export type UserPlan = {
  readonly kind: "user";
  readonly name: string;
  readonly scopes: readonly Scope[];
  /** File name in the folder. */
  readonly tokenFile: string;
};

/** Files that are there once. */
export const authorityFiles = {
  certificate: "ca.pem",
  key: "ca-key.pem",
  tokenKey: "token-key.json",
  publicKeys: "jwks.json",
  denyList: "denied.txt",
} as const;

/**
 * The certificates that are asked for. Pure.
 * @throws RangeError if a device id, a prefix or the trust domain is none.
 */
export function planCertificates(config: CertsConfig): CertificatePlan[] {
  const client = (kind: "device" | "gateway") => (name: string) => ({
    kind,
    name,
    use: "client" as const,
    hosts: [],
    uri: formatSpiffeName({ trustDomain: config.trustDomain, kind, name }),
    ...filesOf(`${kind}-${name}`),
  });
  const server = {
    kind: "server",
    name: "server",
    use: "server",
    hosts: listOf(config.serverNames),
  } as const;
  return [
    { ...server, ...filesOf("server") },
    ...listOf(config.devices).map(client("device")),
    ...listOf(config.gateways).map(client("gateway")),
  ];
}

/** The users of a development mesh: one who may read, one who may do everything. */
export const planUsers: readonly UserPlan[] = [
  { kind: "user", name: "reader", scopes: ["devicemesh.read"], tokenFile: "user-reader.jwt" },
  {
    kind: "user",
    name: "operator",
    scopes: ["devicemesh.read", "devicemesh.generator", "devicemesh.operate"],
    tokenFile: "user-operator.jwt",
  },
];

function filesOf(name: string): { readonly certificateFile: string; readonly keyFile: string } {
  // A colon is right in an id and not in every file system.
  const base = name.replaceAll(":", "%3A");
  return { certificateFile: `${base}.pem`, keyFile: `${base}-key.pem` };
}

function listOf(text: string): string[] {
  return [...new Set(text.split(",").map((part) => part.trim()))].filter((part) => part !== "");
}
