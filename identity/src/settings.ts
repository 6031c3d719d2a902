import type { Setting } from "@devicemesh/kit/settings/setting-schema";

// Functions, because programs differ in the prefix of their environment variables; the flags are the same everywhere.

/** The settings of every service with authentication. */
const sharedSettings = (prefix: string) =>
  ({
    serverCertificate: {
      flag: "--server-cert",
      env: `${prefix}SERVER_CERT`,
      kind: "string",
      placeholder: "FILE",
      description: "Certificate chain (PEM) of the server. Without it, the server uses cleartext.",
    },
    serverKey: {
      flag: "--server-key",
      env: `${prefix}SERVER_KEY`,
      kind: "string",
      placeholder: "FILE",
      description: "Private key (PEM) of that certificate.",
    },
    denyList: {
      flag: "--deny-list",
      env: `${prefix}DENY_LIST`,
      kind: "string",
      placeholder: "FILE",
      description:
        "Deny list of revoked credentials: lines of `serial`, `sha256`, `uri` or `token` and a value. Reloaded when it changes.",
    },
    trustForwardedIdentity: {
      flag: "--trust-forwarded-identity",
      env: `${prefix}TRUST_FORWARDED_IDENTITY`,
      kind: "boolean",
      default: false,
      description: "Trust the identity headers set by Envoy. Use only where no client can bypass Envoy.",
    },
    insecureBeyondLoopback: {
      flag: "--insecure-beyond-loopback",
      env: `${prefix}INSECURE_BEYOND_LOOPBACK`,
      kind: "boolean",
      default: false,
      description:
        "Listen on other addresses than loopback without authentication. Every client that can connect has all rights.",
    },
  }) as const satisfies Readonly<Record<string, Setting>>;

/** Settings of a service for users: tokens. The environment variables begin with `prefix`. */
export const userAccessSettings = (prefix = "DEVICEMESH_") =>
  ({
    jwks: {
      flag: "--jwks",
      env: `${prefix}JWKS`,
      kind: "string",
      placeholder: "FILE",
      description:
        "Public keys (JWKS) of users' tokens. If set, calls require a token. Reloaded when it changes.",
    },
    tokenIssuer: {
      flag: "--token-issuer",
      env: `${prefix}TOKEN_ISSUER`,
      kind: "string",
      default: "devicemesh",
      placeholder: "TEXT",
      description: "Required issuer (iss) of users' tokens.",
    },
    tokenAudience: {
      flag: "--token-audience",
      env: `${prefix}TOKEN_AUDIENCE`,
      kind: "string",
      default: "devicemesh",
      placeholder: "TEXT",
      description: "Required audience (aud) of users' tokens.",
    },
    ...sharedSettings(prefix),
  }) as const satisfies Readonly<Record<string, Setting>>;

/** Settings of a service for devices: certificates. The environment variables begin with `prefix`. */
export const deviceAccessSettings = (prefix = "DEVICEMESH_") =>
  ({
    deviceCa: {
      flag: "--device-ca",
      env: `${prefix}DEVICE_CA`,
      kind: "string",
      placeholder: "FILE",
      description:
        "CA (PEM) of device certificates. If set, senders must present a certificate of the device or of its gateway. Needs --server-cert.",
    },
    trustDomain: {
      flag: "--trust-domain",
      env: `${prefix}TRUST_DOMAIN`,
      kind: "string",
      default: "devicemesh",
      placeholder: "NAME",
      description: "Trust domain of certificates: spiffe://NAME/device/ID and spiffe://NAME/gateway/PREFIX.",
    },
    ...sharedSettings(prefix),
  }) as const satisfies Readonly<Record<string, Setting>>;

type SharedAccess = {
  readonly serverCertificate: string | undefined;
  readonly serverKey: string | undefined;
  readonly denyList: string | undefined;
  readonly trustForwardedIdentity: boolean;
  readonly insecureBeyondLoopback: boolean;
};

/** The values of `userAccessSettings`. */
export type UserAccessConfig = SharedAccess & {
  readonly jwks: string | undefined;
  readonly tokenIssuer: string;
  readonly tokenAudience: string;
};

/** The values of `deviceAccessSettings`. */
export type DeviceAccessConfig = SharedAccess & {
  readonly deviceCa: string | undefined;
  readonly trustDomain: string;
};
