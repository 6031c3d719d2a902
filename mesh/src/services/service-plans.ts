import { fileURLToPath } from "node:url";
import { isLoopback } from "@devicemesh/kit/server/hosts";
import { AggregatorService } from "@devicemesh/proto/es/devicemesh/v1/aggregator_service_pb.ts";
import { GeneratorService } from "@devicemesh/proto/es/devicemesh/v1/generator_service_pb.ts";
import { IngestService } from "@devicemesh/proto/es/devicemesh/v1/ingest_service_pb.ts";
import type { MeshCredentials } from "./credentials.ts";

/** The addresses of the engines. */
export type EngineAddresses = {
  /** host:port of each broker. */
  readonly kafkaBrokers: readonly string[];
  readonly connectUrl: string;
  readonly mongodbUrl: string;
  /** host:port of Spark Connect. */
  readonly sparkUrl: string;
};

/** How the mesh authenticates users and devices: at the front door, on separate listeners. */
export type MeshIdentity = {
  readonly credentials: MeshCredentials;
  /** Port of the listener for users (TLS, tokens). */
  readonly publicPort: number;
  /** Port of the listener for devices (mutual TLS). */
  readonly devicesPort: number;
};

/** The settings that the services of one mesh share. */
export type ServicesConfig = {
  readonly engines: EngineAddresses;
  /** The address that Envoy listens on; the services behind it listen on 127.0.0.1. */
  readonly host: string;
  /** The trusted identities; no authentication if undefined. */
  readonly identity?: MeshIdentity | undefined;
  /** 0 chooses a free port. */
  readonly ports: {
    readonly envoy: number;
    readonly ingest: number;
    readonly query: number;
    readonly generator: number;
  };
  readonly topicPrefix: string;
  readonly database: string;
  /** Prefix of the topics. */
  readonly partitions: number;
  readonly replication: number;
  readonly windowMs: number;
  readonly segmentMs: number;
  /** Retention of raw readings and of the windows of 10 seconds, 10 minutes and one day; unlimited if undefined. */
  readonly retainRawMs: number | undefined;
  readonly retainWindowsMs?: {
    readonly finest: number | undefined;
    readonly tenMinutes: number | undefined;
    readonly day: number | undefined;
  };
  /** The file of sensors; only the built-in catalog if undefined. */
  readonly sensors?: string | undefined;
  /** Whether ingest accepts sensors that the catalog does not have. */
  readonly unknownSensors?: "reject" | "accept";
  /** A folder that Spark's driver can write to. */
  readonly checkpoints: string;
  /** Origins of web pages that may call, separated by commas. */
  readonly corsOrigin: string | undefined;
  /** The port of the gateway's MQTT broker; none if undefined. */
  readonly mqttPort?: number | undefined;
  /** An existing MQTT broker that the gateway reads from; the URL may contain a password. */
  readonly mqttUrl?: string | undefined;
  /** Number of devices to simulate from the start; none if undefined. */
  readonly devices: number | undefined;
  /** A folder for readings that the generator could not deliver before it ended; they are discarded if undefined. */
  readonly spill: string | undefined;
  readonly logLevel: string;
};

/** The names of the services, in the order in which they start, including the front door. */
export const serviceNames = [
  "operator",
  "aggregator",
  "ingest",
  "query",
  "gateway",
  "envoy",
  "generator",
] as const;

export type ServiceName = (typeof serviceNames)[number];

/** How one of our services is run: its main.ts, its flags for a port, and its secrets. */
export type ServicePlan = {
  readonly name: Exclude<ServiceName, "envoy">;
  readonly main: string;
  readonly args: (port: number | undefined) => readonly string[];
  /** Variables that may contain a password; every user of the machine can read the arguments of a process. */
  readonly env?: Readonly<Record<string, string>>;
};

/** Returns the command of each service that does not depend on another's address. Pure. */
export function planServices(
  config: ServicesConfig,
): Readonly<Record<"operator" | "aggregator" | "ingest" | "query", ServicePlan>> {
  const { engines, ports, topicPrefix, retainRawMs } = config;
  const log = ["--log-level", config.logLevel];
  const kafka = ["--kafka-brokers", engines.kafkaBrokers.join(","), "--topic-prefix", topicPrefix];
  const mongodb = ["--mongodb-database", config.database];
  const env = { DEVICEMESH_MONGODB_URL: engines.mongodbUrl };
  const retainRaw = retentionFlag("--retain-raw", retainRawMs);
  const inner = listenFlags(0);
  return {
    operator: {
      name: "operator",
      main: mainOf("operator"),
      env,
      args: (port) => [
        ...inner(port),
        ...kafka,
        ...mongodb,
        ...["--connect-url", engines.connectUrl],
        ...sensorFlags(config),
        ...["--partitions", `${config.partitions}`, "--replication", `${config.replication}`],
        ...["--window", `${config.windowMs}ms`, "--segment", `${config.segmentMs}ms`],
        ...retainRaw,
        ...retentionFlag("--retain-10s", config.retainWindowsMs?.finest),
        ...retentionFlag("--retain-10min", config.retainWindowsMs?.tenMinutes),
        ...retentionFlag("--retain-1day", config.retainWindowsMs?.day),
        ...log,
      ],
    },
    aggregator: {
      name: "aggregator",
      main: mainOf("aggregator"),
      env,
      args: (port) => [
        ...inner(port),
        ...kafka,
        ...mongodb,
        ...["--spark-url", engines.sparkUrl, "--checkpoints", config.checkpoints],
        ...log,
      ],
    },
    ingest: {
      name: "ingest",
      main: mainOf("ingest"),
      args: (port) => [
        ...listenFlags(ports.ingest)(port),
        ...kafka,
        ...sensorFlags(config),
        ...["--unknown-sensors", config.unknownSensors ?? "reject"],
        ...retainRaw,
        ...identityFlags(config),
        ...log,
      ],
    },
    query: {
      name: "query",
      main: mainOf("query"),
      env,
      args: (port) => [
        ...listenFlags(ports.query)(port),
        ...mongodb,
        ...sensorFlags(config),
        // Query serves reflection for all services.
        ...["--reflect-services", reflectedServices.join(",")],
        ...identityFlags(config),
        ...log,
      ],
    },
  };
}

/** The services at the same address as query, without query's own. */
const reflectedServices = [IngestService, GeneratorService, AggregatorService].map(
  ({ typeName }) => typeName,
);

/**
 * Returns the command of the generator, which sends to `target` (host:port of ingest, or of a proxy in front of it).
 * Pure.
 */
export function planGenerator(config: ServicesConfig, target: string): ServicePlan {
  const { ports, devices, spill, logLevel } = config;
  return {
    name: "generator",
    main: mainOf("generator"),
    args: (port) => [
      "serve",
      ...listenFlags(ports.generator)(port),
      ...["--target", target],
      ...(devices === undefined ? ["--idle"] : ["--devices", `${devices}`]),
      ...(spill === undefined ? [] : ["--spill", spill]),
      ...identityFlags(config),
      ...gatewayFlags(config),
      ...["--log-level", logLevel],
    ],
  };
}

/** Returns the command of the gateway, which sends to `ingest` (host:port) directly, without Envoy. Pure. */
export function planGateway(config: ServicesConfig, ingest: string): ServicePlan {
  const { identity, mqttPort, mqttUrl, corsOrigin, logLevel } = config;
  return {
    name: "gateway",
    main: mainOf("gateway"),
    ...(mqttUrl !== undefined && { env: { DEVICEMESH_MQTT_URL: mqttUrl } }),
    args: (port) => [
      ...listenFlags(0)(port),
      ...["--ingest", ingest],
      ...(mqttPort === undefined ? [] : ["--mqtt-port", `${mqttPort}`]),
      ...(corsOrigin === undefined ? [] : ["--cors-origin", corsOrigin]),
      ...sensorFlags(config),
      ...identityFlags(config),
      // The gateway has authenticated the sender; ingest trusts calls from this side of Envoy.
      ...(identity
        ? ["--jwks", identity.credentials.jwks, "--forwarded-name", "spiffe://devicemesh/gateway/*"]
        : []),
      ...["--log-level", logLevel],
    ],
  };
}

function sensorFlags({ sensors }: ServicesConfig): readonly string[] {
  return sensors === undefined ? [] : ["--sensors", sensors];
}

function retentionFlag(flag: string, ms: number | undefined): readonly string[] {
  return ms === undefined ? [] : [flag, `${ms}ms`];
}

/**
 * The flags of a service that only Envoy can reach: Envoy has authenticated the caller, and no client can bypass it.
 */
function identityFlags({ identity, host }: ServicesConfig): readonly string[] {
  if (identity) return ["--trust-forwarded-identity", "--deny-list", identity.credentials.denyList];
  // A user who opened the front door to other host names also opened the services behind it, which receive the same
  // names.
  return isLoopback(host) ? [] : ["--insecure-beyond-loopback"];
}

/** The credentials that the generator presents to Envoy, and the devices that they allow. */
function gatewayFlags({ identity }: ServicesConfig): readonly string[] {
  if (!identity) return [];
  const { authority, gateway } = identity.credentials;
  return [
    ...["--ca", authority, "--cert", gateway.certificate, "--key", gateway.key],
    ...["--device-prefix", gateway.prefix],
  ];
}

/** Returns the first port of a service, or the port where it listened before. */
function listenFlags(first: number): (port: number | undefined) => readonly string[] {
  return (port) => ["--host", "127.0.0.1", "--port", `${port ?? first}`];
}

function mainOf(service: ServicePlan["name"]): string {
  return fileURLToPath(new URL(`../../../${service}/src/main.ts`, import.meta.url));
}
