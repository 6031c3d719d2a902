import { type IngestTls, readIngestTls } from "@devicemesh/client";
import {
  type AccessDependencies,
  accessProblem,
  type DeviceAccess,
  openDeviceAccess,
  openSenderAccess,
  openUserAccess,
  type SenderAccess,
  type UserAccess,
} from "@devicemesh/identity";
import { SettingsError } from "@devicemesh/kit/settings/settings-error";
import type { EmbeddedConfig } from "./settings.ts";

/** The access control of the settings, and the generator's credentials. */
export type EmbeddedAccess = Disposable & {
  readonly users: UserAccess;
  readonly devices: DeviceAccess;
  /** Identifies senders over HTTP or MQTT: devices with a token or a certificate. */
  readonly senders: SenderAccess;
  /** The generator's TLS for ingest; cleartext if undefined. */
  readonly generatorTls: IngestTls | undefined;
};

/**
 * Opens the access control.
 * @throws SettingsError that names the flags if they contradict each other, a file is invalid, any client on other
 * machines would be admitted, or the generator is on and could not send.
 */
export function openAccess(config: EmbeddedConfig, dependencies: AccessDependencies): EmbeddedAccess {
  const problem = accessProblem(config, ["users", "devices"]) ?? generatorProblem(config);
  if (problem) throw new SettingsError(problem);
  using opening = new DisposableStack();
  const devices = opening.use(openDeviceAccess(config, dependencies));
  const users = opening.use(openUserAccess(config, dependencies));
  // One listener for each protocol; both use the keys of this one.
  const senders = opening.use(openSenderAccess(config, ["h2", "http/1.1"], dependencies));
  const generatorTls = readIngestTls({
    ca: devices.tls && (config.generatorCa ?? config.deviceCa ?? config.serverCertificate),
    certificate: config.generatorCertificate,
    key: config.generatorKey,
  });
  const opened = opening.move();
  return {
    users: { ...users, tls: senders.tls },
    devices,
    senders,
    generatorTls,
    [Symbol.dispose]: () => opened.dispose(),
  };
}

function generatorProblem(config: EmbeddedConfig): string | undefined {
  const { deviceCa, trustForwardedIdentity, generatorCertificate, noGenerator, replay } = config;
  if (noGenerator && replay === undefined) return undefined;
  if (trustForwardedIdentity) {
    return "--trust-forwarded-identity lets only Envoy send, and the generator here does not go through it: set --no-generator";
  }
  return deviceCa !== undefined && generatorCertificate === undefined
    ? "--device-ca requires client certificates, and the generator has none: set --generator-cert and --generator-key, or --no-generator"
    : undefined;
}
