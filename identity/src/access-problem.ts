import { isLoopback } from "@devicemesh/kit/server/hosts";
import type { DeviceAccessConfig, UserAccessConfig } from "./settings.ts";

/** The identity settings of a service; `host` is the address it listens on. */
export type AccessConfig = { readonly host: string } & Partial<UserAccessConfig> &
  Partial<DeviceAccessConfig>;

/** The callers that a service has, which it must authenticate before it may listen beyond this machine. */
export type Served = "users" | "devices";

/**
 * Returns the problem of the settings, if there is one: flags that contradict each other, or that would admit any
 * client from other machines. Pure.
 */
export function accessProblem(config: AccessConfig, served: readonly Served[]): string | undefined {
  return contradiction(config) ?? openHost(config, served);
}

function contradiction(config: AccessConfig): string | undefined {
  const { serverCertificate, serverKey, deviceCa, trustForwardedIdentity, jwks, denyList } = config;
  if ((serverCertificate === undefined) !== (serverKey === undefined)) {
    return "--server-cert and --server-key need each other";
  }
  if (deviceCa !== undefined && trustForwardedIdentity) {
    return "--device-ca and --trust-forwarded-identity exclude each other: devices connect either here or to Envoy";
  }
  if (deviceCa !== undefined && serverCertificate === undefined) {
    return "--device-ca needs --server-cert and --server-key: certificates are a part of TLS";
  }
  if (denyList !== undefined && deviceCa === undefined && jwks === undefined && !trustForwardedIdentity) {
    return "--deny-list needs --jwks, --device-ca or --trust-forwarded-identity: without authentication there is nothing to deny";
  }
  return undefined;
}

function openHost(config: AccessConfig, served: readonly Served[]): string | undefined {
  if (isLoopback(config.host) || config.insecureBeyondLoopback) return undefined;
  const { trustForwardedIdentity, jwks, deviceCa, serverCertificate } = config;
  const missing = [
    ...(served.includes("users") && jwks === undefined ? ["--jwks"] : []),
    ...(served.includes("devices") && deviceCa === undefined ? ["--device-ca"] : []),
  ];
  const way = "or --insecure-beyond-loopback to admit every client";
  if (trustForwardedIdentity) return undefined;
  if (missing.length > 0) {
    return `--host ${config.host} is not a loopback address and needs authentication: set ${missing.join(" and ")} (npm run certs makes the credentials), ${way}`;
  }
  if (serverCertificate === undefined) {
    return `--host ${config.host} is not a loopback address, and tokens would be sent in cleartext: set --server-cert and --server-key, ${way}`;
  }
  return undefined;
}
