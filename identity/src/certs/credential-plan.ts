import { listOf } from "@devicemesh/kit/settings/list-of";
import { formatSpiffeName } from "../devices/spiffe-name.ts";
import { isDeviceClaim } from "../senders/device-claim.ts";
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

/** A user's or a device's token to be there, and where. */
export type UserPlan = {
  readonly kind: "user" | "device token";
  readonly name: string;
  readonly scopes: readonly Scope[];
  /** Of a device's token: the devices whose readings it may send. */
  readonly devices?: readonly string[];
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
    hosts: distinctOf(config.serverNames),
  } as const;
  return [
    { ...server, ...filesOf("server") },
    ...distinctOf(config.devices).map(client("device")),
    ...distinctOf(config.gateways).map(client("gateway")),
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

/**
 * The tokens of devices that are asked for, each as `NAME=ID,PREFIX*` or without the name, which is the first entry then. Pure.
 * @throws RangeError if an id or a prefix is none.
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
  // A colon is right in an id and not in every file system.
  const base = name.replaceAll(":", "%3A").replaceAll("*", "all");
  return { certificateFile: `${base}.pem`, keyFile: `${base}-key.pem` };
}

function distinctOf(text: string): string[] {
  return [...new Set(listOf(text))];
}
