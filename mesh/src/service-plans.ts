import { fileURLToPath } from "node:url";

/** Where the engines are. */
export type EngineAddresses = {
  /** host:port of each. */
  readonly kafkaBrokers: readonly string[];
  readonly connectUrl: string;
  readonly mongodbUrl: string;
  /** host:port of Spark Connect. */
  readonly sparkUrl: string;
};

/** What the services of one mesh are told. */
export type ServicesConfig = {
  readonly engines: EngineAddresses;
  /** The address that ingest, query and generator listen on. */
  readonly host: string;
  /** Lets that address be beyond this machine, though nobody has to say who they are. */
  readonly insecureBeyondLoopback?: boolean;
  readonly ports: { readonly ingest: number; readonly query: number; readonly generator: number };
  readonly topicPrefix: string;
  readonly database: string;
  /** Of the topics. */
  readonly partitions: number;
  readonly replication: number;
  readonly windowMs: number;
  readonly segmentMs: number;
  readonly retainRawMs: number | undefined;
  /** A folder that Spark's driver can write to. */
  readonly checkpoints: string;
  readonly corsOrigin: string | undefined;
  /** How many devices play at the start; none if undefined. */
  readonly devices: number | undefined;
  /** A folder for readings that the generator could not deliver before it ended; none are kept if undefined. */
  readonly spill: string | undefined;
  readonly logLevel: string;
};

/** The names of the services, in the order in which they start. */
export const serviceNames = ["operator", "aggregator", "ingest", "generator", "query"] as const;

export type ServiceName = (typeof serviceNames)[number];

/** How a service is run: its main.ts, and its flags once it has a port of its own. */
export type ServicePlan = {
  readonly name: ServiceName;
  readonly main: string;
  readonly args: (port: number | undefined) => readonly string[];
};

/** Where services listen that others tell of. */
export type ServiceAddresses = { readonly ingest: string; readonly generator: string };

/** The command of each service that needs to know of no other. Pure. */
export function planServices(
  config: ServicesConfig,
): Readonly<Record<"operator" | "aggregator" | "ingest", ServicePlan>> {
  const { engines, ports, topicPrefix, retainRawMs } = config;
  const log = ["--log-level", config.logLevel];
  const kafka = ["--kafka-brokers", engines.kafkaBrokers.join(","), "--topic-prefix", topicPrefix];
  const mongodb = mongodbFlags(config);
  const retainRaw = retainRawMs === undefined ? [] : ["--retain-raw", `${retainRawMs}ms`];
  const inner = listenFlags("127.0.0.1", 0);
  return {
    operator: {
      name: "operator",
      main: mainOf("operator"),
      args: (port) => [
        ...inner(port),
        ...kafka,
        ...mongodb,
        ...["--connect-url", engines.connectUrl],
        ...["--partitions", `${config.partitions}`, "--replication", `${config.replication}`],
        ...["--window", `${config.windowMs}ms`, "--segment", `${config.segmentMs}ms`],
        ...retainRaw,
        ...log,
      ],
    },
    aggregator: {
      name: "aggregator",
      main: mainOf("aggregator"),
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
      args: (port) => [...outerFlags(config, ports.ingest)(port), ...kafka, ...retainRaw, ...log],
    },
  };
}

/** The command of query, whose page tells where the others are. Pure. */
export function planQuery(config: ServicesConfig, addresses: ServiceAddresses): ServicePlan {
  const { ports, corsOrigin, logLevel } = config;
  return {
    name: "query",
    main: mainOf("query"),
    args: (port) => [
      ...outerFlags(config, ports.query)(port),
      ...mongodbFlags(config),
      ...["--ingest-address", addresses.ingest, "--generator-address", addresses.generator],
      ...(corsOrigin === undefined ? [] : ["--cors-origin", corsOrigin]),
      ...["--log-level", logLevel],
    ],
  };
}

/** The command of the generator, which sends to `target` (host:port of ingest). Pure. */
export function planGenerator(config: ServicesConfig, target: string): ServicePlan {
  const { ports, devices, spill, logLevel } = config;
  return {
    name: "generator",
    main: mainOf("generator"),
    args: (port) => [
      "serve",
      ...outerFlags(config, ports.generator)(port),
      ...["--target", target],
      ...(devices === undefined ? ["--idle"] : ["--devices", `${devices}`]),
      ...(spill === undefined ? [] : ["--spill", spill]),
      ...["--log-level", logLevel],
    ],
  };
}

function mongodbFlags({ engines, database }: ServicesConfig): readonly string[] {
  return ["--mongodb-url", engines.mongodbUrl, "--mongodb-database", database];
}

/** The flags of a service that people and devices reach. */
function outerFlags(config: ServicesConfig, first: number): (port: number | undefined) => readonly string[] {
  const listen = listenFlags(config.host, first);
  return (port) => [
    ...listen(port),
    ...(config.insecureBeyondLoopback ? ["--insecure-beyond-loopback"] : []),
  ];
}

/** A service listens where it is told first, and from then on where it listened. */
function listenFlags(host: string, first: number): (port: number | undefined) => readonly string[] {
  return (port) => ["--host", host, "--port", `${port ?? first}`];
}

function mainOf(service: ServiceName): string {
  return fileURLToPath(new URL(`../../${service}/src/main.ts`, import.meta.url));
}
