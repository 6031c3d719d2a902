import { listOf } from "@devicemesh/kit/settings/list-of";
import { formatSpiffeName } from "../devices/spiffe-name.ts";
import { isDeviceClaim } from "../senders/device-claim.ts";
import type { Scope } from "../users/scopes.ts";
import type { CertsConfig } from "./settings.ts";

/** A certificate of the plan, and its files. */
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

/** A user's or a device's token of the plan, and its file. */
export type UserPlan = {
  readonly kind: "user" | "device token";
  readonly name: string;
  readonly scopes: readonly Scope[];
  /** For a device's token: the devices whose readings it may send. */
  readonly devices?: readonly string[];
  /** File name in the folder. */
  readonly tokenFile: string;
};

/** Files that exist once. */
export const authorityFiles = {
  certificate: "ca.pem",
  key: "ca-key.pem",
  tokenKey: "token-key.json",
  publicKeys: "jwks.json",
  denyList: "denied.txt",
} as const;

/**
 * Returns the certificates that the settings request. Pure.
 * @throws RangeError if a device id, a prefix or the trust domain is not valid.
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
    hosts: distinctOf(config.serverNames),
  } as const;
  return [
    { ...server, ...filesOf("server") },
    ...distinctOf(config.devices).map(client("device")),
    ...distinctOf(config.gateways).map(client("gateway")),
  ];
}

/** The users of a development mesh: one may read, one may do everything. */
export const planUsers: readonly UserPlan[] = [
  { kind: "user", name: "reader", scopes: ["devicemesh.read"], tokenFile: "user-reader.jwt" },
  {
    kind: "user",
    name: "operator",
    scopes: ["devicemesh.read", "devicemesh.generator", "devicemesh.operate"],
    tokenFile: "user-operator.jwt",
  },
];

/**
 * Returns the tokens of devices that the settings request, each as `NAME=ID,PREFIX*` or without the name, which is the
 * first entry then. Pure.
 * @throws RangeError if an id or a prefix is not valid.
 */
export function planDeviceTokens({ deviceTokens }: Pick<CertsConfig, "deviceTokens">): UserPlan[] {
  return deviceTokens.map((text) => {
    const [, given, list = ""] = /^(?:([^=,]+)=)?(.*)$/.exec(text) ?? [];
    const devices = distinctOf(list);
    const name = given ?? devices[0]?.replace(/\*$/, "") ?? "";
    if (devices.length === 0 || !isDeviceClaim(devices) || !/^[A-Za-z0-9._-]+$/.test(name)) {
      throw new RangeError(
        `--device-token ${JSON.stringify(text)}: write NAME=ID,PREFIX* with device ids, and prefixes that end with *`,
      );
    }
    const scopes = ["devicemesh.send"] as const;
    return { kind: "device token", name, scopes, devices, tokenFile: `device-${name}.jwt` };
  });
}

function filesOf(name: string): { readonly certificateFile: string; readonly keyFile: string } {
  // A colon is allowed in an id, but not in every file system.
  const base = name.replaceAll(":", "%3A").replaceAll("*", "all");
  return { certificateFile: `${base}.pem`, keyFile: `${base}-key.pem` };
}

function distinctOf(text: string): string[] {
  return [...new Set(listOf(text))];
}
