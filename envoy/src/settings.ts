import { loopbackHosts } from "@devicemesh/kit/rpc/requests/request-host";
import type { TemplateFilling, TemplateValue } from "./template.ts";

/** A host (an address, or a name that DNS knows) and a port. */
export type HostPort = { readonly host: string; readonly port: number };

/** Where a listener takes connections; port 0 takes any free one. */
export type ListenAddress = HostPort;

/** A server certificate with its chain and its key, as PEM files. */
export type CertificateFiles = { readonly certificate: string; readonly key: string };

/** The listener for people. */
export type PublicListener = ListenAddress & CertificateFiles;

/** The listener for devices and gateways, which show a certificate. */
export type DevicesListener = ListenAddress &
  CertificateFiles & {
    /** PEM file of the authority that signs their certificates. */
    readonly authority: string;
    /** Their names begin with `spiffe://<trustDomain>/`; others are refused. */
    readonly trustDomain: string;
    /** Full names whose certificates are revoked. */
    readonly denied?: readonly string[];
  };

/** What makes a token of a user good: ES256 or whatever the key set says. */
export type UserTokens = {
  /** File with the JSON Web Key Set. */
  readonly jwksFile: string;
  readonly issuer: string;
  readonly audience: string;
};

/** Bounds that fit a deployment; the others are in envoy.yaml. */
export type EdgeLimits = {
  /** Calls that all may begin in a second, in each Envoy. */
  readonly callsPerSecond: number;
  /** Calls that one address may begin in a second. */
  readonly clientCallsPerSecond: number;
  readonly connectionsMax: number;
  /** Bytes of memory from which calls are refused. */
  readonly heapBytesMax: number;
};

/** Everything that envoy.yaml leaves open. */
export type EnvoySettings = {
  /** Who this Envoy is, in traces. */
  readonly nodeId: string;
  readonly ingest: readonly HostPort[];
  readonly query: readonly HostPort[];
  readonly generator: readonly HostPort[];
  /** Where the window job is watched over; its service has no route if left out. */
  readonly aggregator?: readonly HostPort[] | undefined;
  /** The gateway for devices without gRPC; it has no route if left out. */
  readonly gateway?: readonly HostPort[] | undefined;
  /** Cleartext, all services, without identity: loopback only. */
  readonly plain: ListenAddress;
  /** Names by which `plain` is served, without ports, or "*" for any; those of loopback by default. */
  readonly plainHosts?: readonly string[] | "*" | undefined;
  /** `/ready` and `/stats/prometheus`. */
  readonly metrics: ListenAddress;
  /** The interface that drains: a socket file or a loopback port. */
  readonly admin: ListenAddress | { readonly socketFile: string };
  readonly public?: PublicListener | undefined;
  readonly devices?: DevicesListener | undefined;
  /** With it the public listener wants a token for every call. */
  readonly users?: UserTokens | undefined;
  /** Origins of web pages that may call, "*" for any; none if left out. */
  readonly corsOrigins?: readonly string[] | undefined;
  /** Where spans go (OTLP over gRPC), and how many calls of a hundred are traced. */
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

/** The methods of a service, whose calls are counted one by one. */
export type CountedService = { readonly name: string; readonly methods: readonly string[] };

/**
 * The settings as the template wants them. Pure.
 * @throws Error if a part lacks what it needs.
 */
export function fillingOf(settings: EnvoySettings, services: readonly CountedService[]): TemplateFilling {
  const { public: people, devices, users, corsOrigins, tracing, aggregator = [], gateway = [] } = settings;
  const limits = { ...edgeLimitDefaults, ...settings.limits };
  const { plainHosts = loopbackHosts } = settings;
  if (users && !people) throw new Error("tokens of users need the public listener");
  for (const name of ["ingest", "query", "generator"] as const) {
    if (settings[name].length === 0) throw new Error(`${name} has no endpoint`);
  }
  return {
    parts: {
      public: people !== undefined,
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
      ...(people && {
        public_address: addressOf(people),
        public_certificate: people.certificate,
        public_key: people.key,
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
