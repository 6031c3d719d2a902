import { loopbackHosts } from "@devicemesh/kit/server/hosts";
import type { TemplateFilling, TemplateValue } from "./template.ts";

/** A host (an address, or a DNS name) and a port. */
export type HostPort = { readonly host: string; readonly port: number };

/** The address of a listener; port 0 chooses a free one. */
export type ListenAddress = HostPort;

/** A server certificate with its chain and its key, as PEM files. */
export type CertificateFiles = { readonly certificate: string; readonly key: string };

/** The listener for users. */
export type PublicListener = ListenAddress & CertificateFiles;

/** The listener for devices and gateways, which present a certificate. */
export type DevicesListener = ListenAddress &
  CertificateFiles & {
    /** PEM file of the authority that signs their certificates. */
    readonly authority: string;
    /** Their names begin with `spiffe://<trustDomain>/`; others are rejected. */
    readonly trustDomain: string;
    /** Full names whose certificates are revoked. */
    readonly denied?: readonly string[];
  };

/** The requirements of a user's token: ES256 or the algorithms of the key set. */
export type UserTokens = {
  /** File with the JSON Web Key Set. */
  readonly jwksFile: string;
  readonly issuer: string;
  readonly audience: string;
};

/** Limits that depend on the deployment; the others are in envoy.yaml. */
export type EdgeLimits = {
  /** Calls a second that all callers together may begin, in each Envoy. */
  readonly callsPerSecond: number;
  /** Calls a second that one address may begin. */
  readonly clientCallsPerSecond: number;
  readonly connectionsMax: number;
  /** Bytes of memory from which calls are rejected. */
  readonly heapBytesMax: number;
};

/** All variables of envoy.yaml. */
export type EnvoySettings = {
  /** The name of this Envoy in traces. */
  readonly nodeId: string;
  readonly ingest: readonly HostPort[];
  readonly query: readonly HostPort[];
  readonly generator: readonly HostPort[];
  /** The aggregator; its service has no route if left out. */
  readonly aggregator?: readonly HostPort[] | undefined;
  /** The gateway for devices without gRPC; it has no route if left out. */
  readonly gateway?: readonly HostPort[] | undefined;
  /** Cleartext, all services, without authentication: loopback only. */
  readonly plain: ListenAddress;
  /** Host names that `plain` serves, without ports, or "*" for any; those of loopback by default. */
  readonly plainHosts?: readonly string[] | "*" | undefined;
  /** `/ready` and `/stats/prometheus`. */
  readonly metrics: ListenAddress;
  /** The admin interface for draining: a socket file or a loopback port. */
  readonly admin: ListenAddress | { readonly socketFile: string };
  readonly public?: PublicListener | undefined;
  readonly devices?: DevicesListener | undefined;
  /** If set, the public listener requires a token for every call. */
  readonly users?: UserTokens | undefined;
  /** Origins of web pages that may call, "*" for any; none if left out. */
  readonly corsOrigins?: readonly string[] | undefined;
  /** The receiver of spans (OTLP over gRPC), and the percentage of calls that are traced. */
  readonly tracing?: { readonly collector: HostPort; readonly percent: number } | undefined;
  /** File of the access log; /dev/stdout in a container. */
  readonly accessLog: string;
  /** File of the contract as a FileDescriptorSet, for JSON. */
  readonly contractImage: string;
  readonly limits?: Partial<EdgeLimits> | undefined;
};

export const edgeLimitDefaults = {
  callsPerSecond: 20_000,
  clientCallsPerSecond: 5_000,
  connectionsMax: 20_000,
  heapBytesMax: 1024 * 1024 * 1024,
} as const satisfies EdgeLimits;

/** Returns the methods of a service, whose calls are counted separately. */
export type CountedService = { readonly name: string; readonly methods: readonly string[] };

/**
 * Converts the settings to the variables of the template. Pure.
 * @throws Error if a part lacks a setting.
 */
export function fillingOf(settings: EnvoySettings, services: readonly CountedService[]): TemplateFilling {
  const {
    public: publicListener,
    devices,
    users,
    corsOrigins,
    tracing,
    aggregator = [],
    gateway = [],
  } = settings;
  const limits = { ...edgeLimitDefaults, ...settings.limits };
  const { plainHosts = loopbackHosts } = settings;
  if (users && !publicListener) throw new Error("tokens of users need the public listener");
  for (const name of ["ingest", "query", "generator"] as const) {
    if (settings[name].length === 0) throw new Error(`${name} has no endpoint`);
  }
  return {
    parts: {
      public: publicListener !== undefined,
      devices: devices !== undefined,
      users: users !== undefined,
      cors: corsOrigins !== undefined && corsOrigins.length > 0,
      tracing: tracing !== undefined,
      aggregator: aggregator.length > 0,
      gateway: gateway.length > 0,
      other_hosts: plainHosts !== "*",
    },
    values: {
      node_id: settings.nodeId,
      plain_address: addressOf(settings.plain),
      plain_hosts: plainHosts === "*" ? ["*"] : plainHosts.flatMap((host) => [host, `${host}:*`]),
      metrics_address: addressOf(settings.metrics),
      admin_address:
        "socketFile" in settings.admin
          ? { pipe: { path: settings.admin.socketFile, mode: 0o600 } }
          : addressOf(settings.admin),
      ingest_endpoints: endpointsOf(settings.ingest),
      query_endpoints: endpointsOf(settings.query),
      generator_endpoints: endpointsOf(settings.generator),
      access_log: settings.accessLog,
      contract_image: settings.contractImage,
      grpc_methods: services.map(({ name, methods }) => ({ name, method_names: methods })),
      heap_bytes_max: limits.heapBytesMax,
      connections_max: limits.connectionsMax,
      calls_per_second: limits.callsPerSecond,
      client_calls_per_second: limits.clientCallsPerSecond,
      ...(publicListener && {
        public_address: addressOf(publicListener),
        public_certificate: publicListener.certificate,
        public_key: publicListener.key,
      }),
      ...(users && {
        users_jwks: users.jwksFile,
        users_issuer: users.issuer,
        users_audience: users.audience,
      }),
      ...(devices && devicesValues(devices)),
      ...(gateway.length > 0 && { gateway_endpoints: endpointsOf(gateway) }),
      ...(aggregator.length > 0 && { aggregator_endpoints: endpointsOf(aggregator) }),
      ...(corsOrigins && { cors_origins: corsOrigins.map(originMatch) }),
      ...(tracing && {
        tracing_endpoints: endpointsOf([tracing.collector]),
        tracing_percent: tracing.percent,
      }),
    },
  };
}

function devicesValues(devices: DevicesListener): Record<string, TemplateValue> {
  const { denied = [] } = devices;
  const revoked = { permissions: [{ any: true }], principals: denied.map((name) => named({ exact: name })) };
  return {
    devices_address: addressOf(devices),
    devices_certificate: devices.certificate,
    devices_key: devices.key,
    devices_ca: devices.authority,
    devices_names: [named({ prefix: `spiffe://${devices.trustDomain}/` })],
    devices_denied: denied.length === 0 ? {} : { revoked },
  };
}

function named(match: { readonly [kind: string]: string }): TemplateValue {
  return { authenticated: { principal_name: match } };
}

function originMatch(origin: string): TemplateValue {
  return origin === "*" ? { prefix: "http" } : { exact: origin };
}

function addressOf({ host, port }: HostPort): TemplateValue {
  return { socket_address: { address: host, port_value: port } };
}

function endpointsOf(endpoints: readonly HostPort[]): TemplateValue {
  return endpoints.map((endpoint) => ({ endpoint: { address: addressOf(endpoint) } }));
}
