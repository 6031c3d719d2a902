import { readFileSync } from "node:fs";
import type { Logger } from "@devicemesh/kit/observability/logger";
import { createTlsTermination, type TlsTermination } from "@devicemesh/kit/server/tls-termination";
import { SettingsError } from "@devicemesh/kit/settings/settings-error";
import { accessProblem } from "./access-problem.ts";
import { type DenyList, emptyDenyList } from "./deny-list/deny-list.ts";
import { openDenyListFile } from "./deny-list/deny-list-file.ts";
import {
  createPublisherFromHeader,
  createPublisherFromTls,
  type IdentifyPublisher,
} from "./devices/identify-publisher.ts";
import { createSenderIdentification, type IdentifySender } from "./senders/sender-access.ts";
import type { DeviceAccessConfig, UserAccessConfig } from "./settings.ts";
import { createUserGate, type UserGate } from "./users/connect-access.ts";
import { createForwardedUserReader, forwardedTokenHeader } from "./users/forwarded-user.ts";
import { createTokenVerifier, parseTokenKeys } from "./users/jose-token-verifier.ts";
import { followFile } from "./watched-file.ts";

/** The parts of a service for users that its settings enable; undefined means off. Close it after the service. */
export type UserAccess = Disposable & {
  readonly gate: UserGate | undefined;
  readonly tls: TlsTermination | undefined;
};

/** The parts of ingest that its settings enable; undefined means off. Close it after ingest. */
export type DeviceAccess = Disposable & {
  readonly identityOf: IdentifyPublisher | undefined;
  readonly tls: TlsTermination | undefined;
};

/** The parts of a service that accepts readings over HTTP or MQTT. Close it after the service. */
export type SenderAccess = Disposable & {
  /** Any client may send if undefined. */
  readonly identify: IdentifySender | undefined;
  /** Requests certificates, and serves connections without one too. */
  readonly tls: TlsTermination | undefined;
};

/** The dependencies on the process. */
export type AccessDependencies = {
  /** Called for files that become unreadable or malformed, and for failed TLS handshakes. */
  readonly logger: Logger;
  /** Ms since 1970. */
  readonly clock: () => number;
  /** Interval at which files are polled, in ms; 1000 by default. */
  readonly pollIntervalMs?: number;
  /** How long a connection without a valid certificate stays open if devices need one, in ms; 5 s by default. */
  readonly unverifiedMs?: number;
};

/**
 * Opens the parts that `userAccessSettings` enable for a service that listens on `host`.
 * @throws SettingsError that names the flags if they contradict each other, a file is invalid, or
 * any client on other machines would be admitted.
 */
export function openUserAccess(
  config: UserAccessConfig & { readonly host: string },
  dependencies: AccessDependencies,
): UserAccess {
  const problem = accessProblem(config, ["users"]);
  if (problem) throw new SettingsError(problem);
  using opening = new DisposableStack();
  const tls = openTls(config, undefined, ["h2", "http/1.1"], dependencies);
  const { jwks, tokenIssuer: issuer, tokenAudience: audience } = config;
  const { clock } = dependencies;
  if (jwks === undefined && !config.trustForwardedIdentity)
    return { gate: undefined, tls, ...closed(opening) };
  const denyList = opening.use(openDenyList(config.denyList, dependencies));
  // If both are set, the forwarded identity is not used: the token itself is the better proof.
  const identify =
    jwks === undefined
      ? createForwardedUserReader({ denyList, clock })
      : createTokenVerifier({
          keys: openTokenKeys(jwks, opening, dependencies),
          issuer,
          audience,
          denyList,
          clock,
        });
  return { gate: createUserGate({ identify, denyList, clock }), tls, ...closed(opening) };
}

/**
 * Opens the parts that `deviceAccessSettings` enable for an ingest that listens on `host`.
 * @throws SettingsError like `openUserAccess`.
 */
export function openDeviceAccess(
  config: DeviceAccessConfig & { readonly host: string },
  dependencies: AccessDependencies,
): DeviceAccess {
  const problem = accessProblem(config, ["devices"]);
  if (problem) throw new SettingsError(problem);
  using opening = new DisposableStack();
  const { deviceCa, trustDomain } = config;
  const { clock } = dependencies;
  const tls = openTls(config, deviceCa, ["h2"], dependencies);
  const denyList = opening.use(openDenyList(config.denyList, dependencies));
  const trust = { trustDomain, denyList, clock };
  const identityOf =
    deviceCa !== undefined && tls !== undefined
      ? createPublisherFromTls(trust, tls.peerOf)
      : config.trustForwardedIdentity
        ? createPublisherFromHeader(trust)
        : undefined;
  return { identityOf, tls, ...closed(opening) };
}

/**
 * Opens the parts of both settings for a listener of devices that send over HTTP or MQTT, with a token or a
 * certificate.
 * @throws SettingsError like `openUserAccess`.
 */
export function openSenderAccess(
  config: UserAccessConfig & DeviceAccessConfig & { readonly host: string },
  protocols: readonly string[],
  dependencies: AccessDependencies,
): SenderAccess {
  const { deviceCa, trustDomain, jwks, trustForwardedIdentity } = config;
  const { clock } = dependencies;
  using opening = new DisposableStack();
  const tls = openTls(config, deviceCa, protocols, { ...dependencies, isCertificateOptional: true });
  if (jwks === undefined && deviceCa === undefined && !trustForwardedIdentity) {
    return { identify: undefined, tls, ...closed(opening) };
  }
  const denyList = opening.use(openDenyList(config.denyList, dependencies));
  const trust = { trustDomain, denyList, clock };
  const ofForwarded = trustForwardedIdentity ? createForwardedUserReader({ denyList, clock }) : undefined;
  const ofOwn =
    jwks === undefined
      ? undefined
      : createTokenVerifier({
          keys: openTokenKeys(jwks, opening, dependencies),
          issuer: config.tokenIssuer,
          audience: config.tokenAudience,
          denyList,
          clock,
        });
  // Behind Envoy, HTTP has the forwarded identity; MQTT does not pass through Envoy.
  const ofToken =
    ofForwarded === undefined || ofOwn === undefined
      ? (ofForwarded ?? ofOwn)
      : (headers: Pick<Headers, "get">) =>
          (headers.get(forwardedTokenHeader) === null ? ofOwn : ofForwarded)(headers);
  const ofCertificate =
    deviceCa !== undefined && tls !== undefined
      ? createPublisherFromTls(trust, tls.peerOf)
      : trustForwardedIdentity
        ? createPublisherFromHeader(trust)
        : undefined;
  const identify = createSenderIdentification({
    ofToken,
    ofCertificate,
    tls: trustForwardedIdentity ? undefined : (tls ?? { peerOf: () => undefined }),
    denyList,
    clock,
  });
  return { identify, tls, ...closed(opening) };
}

function closed(opening: DisposableStack): Disposable {
  const resources = opening.move();
  return { [Symbol.dispose]: () => resources.dispose() };
}

function openDenyList(
  path: string | undefined,
  { logger, pollIntervalMs }: AccessDependencies,
): DenyList & Disposable {
  if (path === undefined) return { ...emptyDenyList, [Symbol.dispose]() {} };
  return explained("--deny-list", () => openDenyListFile({ path, logger, intervalMs: pollIntervalMs }));
}

function openTokenKeys(
  path: string,
  opening: DisposableStack,
  { logger, pollIntervalMs }: AccessDependencies,
) {
  const file = explained("--jwks", () =>
    followFile({
      path,
      parse: parseTokenKeys,
      onProblem: (error) =>
        logger.error({ error, path }, "the token keys could not be read; the last valid ones stay in force"),
      ...(pollIntervalMs === undefined ? {} : { intervalMs: pollIntervalMs }),
    }),
  );
  opening.use(file);
  return () => file.current;
}

function openTls(
  { serverCertificate, serverKey }: Pick<UserAccessConfig, "serverCertificate" | "serverKey">,
  deviceCa: string | undefined,
  protocols: readonly string[],
  {
    logger,
    unverifiedMs,
    isCertificateOptional = false,
  }: AccessDependencies & { readonly isCertificateOptional?: boolean },
): TlsTermination | undefined {
  if (serverCertificate === undefined || serverKey === undefined) return undefined;
  const certificate = explained("--server-cert", () => readFileSync(serverCertificate, "utf8"));
  const key = explained("--server-key", () => readFileSync(serverKey, "utf8"));
  const clientCa =
    deviceCa === undefined ? undefined : explained("--device-ca", () => readFileSync(deviceCa, "utf8"));
  return explained("--server-cert, --server-key or --device-ca", () =>
    createTlsTermination({
      key,
      certificate,
      clientCa,
      protocols,
      isCertificateOptional,
      ...(unverifiedMs !== undefined && { unverifiedMs }),
      onError: (error) => logger.debug({ error }, "TLS failed"),
    }),
  );
}

/** Returns the result of `open`; adds the flag to its error. */
function explained<T>(flag: string, open: () => T): T {
  try {
    return open();
  } catch (error) {
    throw new SettingsError(`${flag}: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
}
