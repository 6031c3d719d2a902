/** Names and ports of the stack's parts, for rendered files. docker-stack.yml has the same; a test compares them. */
export const addresses = {
  envoy: { publicPort: 8443, devicesPort: 8444, metricsPort: 9902, plainPort: 8080, adminPort: 9901 },
  ingest: { host: "ingest", port: 50051 },
  query: { host: "query", port: 8080 },
  generator: { host: "generator", port: 8081 },
  gateway: { host: "gateway", port: 8082 },
  operator: { host: "operator", port: 50053 },
  aggregator: { host: "aggregator", port: 50054 },
  kafka: { hosts: ["kafka-1", "kafka-2", "kafka-3"], port: 9092, controllerPort: 9093 },
  connect: { host: "connect", port: 8083 },
  mongo: {
    hosts: ["mongo-1", "mongo-2", "mongo-3"],
    port: 27017,
    replicaSet: "devicemesh",
    database: "devicemesh",
  },
  spark: {
    masterHost: "spark-master",
    masterPort: 7077,
    connectHost: "spark-connect",
    connectPort: 15002,
    driverPort: 7078,
    blockManagerPort: 7079,
  },
} as const;

/** Paths in a container: mounted files, and written ones. */
export const containerFolders = {
  /** Configuration of Envoy and of our services. */
  config: "/etc/devicemesh",
  secrets: "/run/secrets",
  /** Files of our images. */
  home: "/opt/devicemesh",
  /** Files that our images write. */
  state: "/var/lib/devicemesh",
} as const;

/** The whole stack, or the overlay for one machine (docker-stack.single.yml). */
export type Shape = "swarm" | "single";
