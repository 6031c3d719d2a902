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

/** Who may send and who may ask, as the settings say, and how the generator shows who it is. */
export type EmbeddedAccess = Disposable & {
  readonly users: UserAccess;
  readonly devices: DeviceAccess;
  /** Who sends over HTTP or MQTT: devices with a token or a certificate. */
  readonly senders: SenderAccess;
  /** How the generator reaches ingest; in cleartext if undefined. */
  readonly generatorTls: IngestTls | undefined;
};

/**
 * Opens it.
 * @throws SettingsError that names the flags if they contradict each other, a file is not what it should be,
 *   anyone could come in from beyond this machine, or the generator is to play and could not send.
 */
export function openAccess(config: EmbeddedConfig, dependencies: AccessDependencies): EmbeddedAccess {
  const problem = accessProblem(config, ["users", "devices"]) ?? generatorProblem(config);
  if (problem) throw new SettingsError(problem);
  using opening = new DisposableStack();
  const devices = opening.use(openDeviceAccess(config, dependencies));
  const users = opening.use(openUserAccess(config, dependencies));
  // One listener for each protocol; both have the keys of this one.
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
