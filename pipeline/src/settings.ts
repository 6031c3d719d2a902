import { logLevelSetting } from "@devicemesh/kit/settings/log-level-setting";
import type { Setting } from "@devicemesh/kit/settings/setting-schema";

/** Settings that several services on the real engines share: the same flag has the same meaning everywhere. */
export const chainSettings = {
  kafkaBrokers: {
    flag: "--kafka-brokers",
    env: "DEVICEMESH_KAFKA_BROKERS",
    kind: "string",
    default: "127.0.0.1:9092",
    placeholder: "HOST:PORT,…",
    description: "Bootstrap servers of Kafka, separated by commas.",
  },
  mongodbUrl: {
    flag: "--mongodb-url",
    env: "DEVICEMESH_MONGODB_URL",
    kind: "string",
    default: "mongodb://127.0.0.1:27017",
    placeholder: "URL",
    description: "Connection string of MongoDB.",
  },
  mongodbDatabase: {
    flag: "--mongodb-database",
    env: "DEVICEMESH_MONGODB_DATABASE",
    kind: "string",
    default: "devicemesh",
    placeholder: "NAME",
    description: "Database of the mesh.",
  },
  topicPrefix: {
    flag: "--topic-prefix",
    env: "DEVICEMESH_TOPIC_PREFIX",
    kind: "string",
    default: "",
    placeholder: "TEXT",
    description:
      "Prefix of topics, connectors and consumer groups. Needed only if several meshes share one Kafka.",
  },
  logLevel: logLevelSetting(),
} as const satisfies Readonly<Record<string, Setting>>;
