import { readFileSync } from "node:fs";
import { renderTemplate } from "@devicemesh/engines/plans/template";
import { renderEnvoy } from "@devicemesh/envoy";
import { addresses, containerFolders, type Shape } from "./addresses.ts";

const everywhere = "0.0.0.0";

/**
 * Returns the configuration files that the stack mounts, by their name in `stack/config`: rendered from
 * envoy/envoy.yaml and engines/config, with the names and ports of the stack. Those of the overlay are in `single/`.
 */
export function renderConfigFiles(): ReadonlyMap<string, string> {
  return new Map([
    ["envoy.yaml", envoyConfig()],
    ...addresses.kafka.hosts.map((host, place): [string, string] => [
      `${host}.properties`,
      brokerConfig(place + 1, "swarm"),
    ]),
    ["connect-worker.properties", connectConfig("swarm")],
    ["spark-defaults.conf", sparkConfig("swarm")],
    ["single/kafka-1.properties", brokerConfig(1, "single")],
    ["single/connect-worker.properties", connectConfig("single")],
    ["single/spark-defaults.conf", sparkConfig("single")],
  ]);
}

function envoyConfig(): string {
  const { envoy, ingest, query, generator, aggregator, gateway } = addresses;
  const { config, secrets } = containerFolders;
  // The addresses of a service's tasks: Envoy balances and checks them, not Swarm.
  const tasksOf = ({ host, port }: { readonly host: string; readonly port: number }) => [
    { host: `tasks.${host}`, port },
  ];
  const server = { certificate: `${config}/server.pem`, key: `${secrets}/server-key.pem` };
  return renderEnvoy({
    nodeId: "envoy",
    ingest: tasksOf(ingest),
    query: tasksOf(query),
    generator: tasksOf(generator),
    aggregator: tasksOf(aggregator),
    gateway: tasksOf(gateway),
    plain: { host: "127.0.0.1", port: envoy.plainPort },
    admin: { host: "127.0.0.1", port: envoy.adminPort },
    metrics: { host: everywhere, port: envoy.metricsPort },
    public: { host: everywhere, port: envoy.publicPort, ...server },
    users: { jwksFile: `${config}/jwks.json`, issuer: "devicemesh", audience: "devicemesh" },
    devices: {
      host: everywhere,
      port: envoy.devicesPort,
      ...server,
      authority: `${config}/ca.pem`,
      trustDomain: "devicemesh",
    },
    accessLog: "/dev/stdout",
    contractImage: `${config}/contract.binpb`,
  });
}

/** Number of brokers, and of replicas of each message. */
const brokersOf = { swarm: 3, single: 1 } as const satisfies Record<Shape, number>;

function brokerConfig(nodeId: number, shape: Shape): string {
  const { hosts, port, controllerPort } = addresses.kafka;
  const brokers = brokersOf[shape];
  return rendered("kafka-broker.properties", {
    nodeId,
    port,
    controllerPort,
    controllerVoters: hosts
      .slice(0, brokers)
      .map((host, place) => `${place + 1}@${host}:${controllerPort}`)
      .join(","),
    listenHost: everywhere,
    advertisedHost: hosts[nodeId - 1] as string,
    dataFolder: `${containerFolders.state}/kafka`,
    replication: brokers,
    minInSyncReplicas: brokers > 1 ? 2 : 1,
  });
}

function connectConfig(shape: Shape): string {
  const { kafka, connect } = addresses;
  const brokers = brokersOf[shape];
  return rendered("connect-worker.properties", {
    kafkaBrokers: kafka.hosts
      .slice(0, brokers)
      .map((host) => `${host}:${kafka.port}`)
      .join(","),
    listenHost: everywhere,
    // The image's entry script adds each worker's own address.
    advertisedHost: connect.host,
    port: connect.port,
    pluginFolder: `${containerFolders.home}/kafka/plugins`,
    secretsFolder: containerFolders.secrets,
    replication: brokers,
  });
}

function sparkConfig(shape: Shape): string {
  const { masterHost, masterPort, connectHost, connectPort, driverPort, blockManagerPort } = addresses.spark;
  return rendered("spark-defaults.conf", {
    master: shape === "single" ? "local[2]" : `spark://${masterHost}:${masterPort}`,
    advertisedHost: connectHost,
    listenHost: everywhere,
    driverPort,
    blockManagerPort,
    connectPort,
    localFolder: `${containerFolders.state}/scratch`,
    warehouseFolder: `${containerFolders.state}/warehouse`,
  });
}

function rendered(name: string, variables: Readonly<Record<string, string | number>>): string {
  const template = readFileSync(new URL(`../../../engines/config/${name}`, import.meta.url), "utf8");
  return renderTemplate(template, variables, name);
}
