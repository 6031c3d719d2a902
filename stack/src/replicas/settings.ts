import { defineSettings } from "@devicemesh/kit/settings/define-settings";

/** The settings of the job that waits until no replica is missing. */
export const replicasSettings = defineSettings({
  prefix: "DEVICEMESH_",
  usage: "node stack/src/replicas/main.ts [flags]",
  summary:
    "Waits until every partition of Kafka has all its replicas in sync and every member of MongoDB's replica set is primary or secondary, so that the next one may be stopped. Ends with 0 then, and with 1 and what is missing after the timeout.",
  settings: {
    brokers: {
      flag: "--kafka-brokers",
      env: "DEVICEMESH_KAFKA_BROKERS",
      kind: "string",
      default: "kafka-1:9092,kafka-2:9092,kafka-3:9092",
      placeholder: "HOST:PORT,…",
      description: "The brokers; each must know of all partitions.",
    },
    members: {
      flag: "--members",
      env: "DEVICEMESH_MONGODB_MEMBERS",
      kind: "string",
      default: "mongo-1:27017,mongo-2:27017,mongo-3:27017",
      placeholder: "HOST:PORT,…",
      description: "The members of the replica set.",
    },
    timeout: {
      flag: "--timeout",
      env: "DEVICEMESH_REPLICAS_TIMEOUT",
      kind: "duration",
      default: "15m",
      minimum: "1s",
      description: "Time limit of the whole wait.",
    },
  },
});
