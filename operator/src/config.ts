import { chainNames, chainSettings, listOf } from "@devicemesh/chain";
import { metricsSettings } from "@devicemesh/kit/metrics-setting";
import { defineSettings, type SettingsOf } from "@devicemesh/kit/settings";
import { levelsAbove, type MeshDefinition } from "./mesh-definition.ts";
import type { EngineAddresses } from "./mesh-engines.ts";

/** The settings of the operator: flags, environment variables, help and the README's table in one place. */
export const operatorSettings = defineSettings({
  prefix: "DEVICEMESH_",
  usage: "node operator/src/main.ts [flags]",
  summary:
    "Makes what a mesh on Kafka, Kafka Connect and MongoDB is made of, keeps it so, and reads the dead letters.",
  settings: {
    kafkaBrokers: chainSettings.kafkaBrokers,
    connectUrl: {
      flag: "--connect-url",
      env: "DEVICEMESH_CONNECT_URL",
      kind: "string",
      default: "http://127.0.0.1:8083",
      placeholder: "URL",
      description: "Kafka Connect's REST interface.",
    },
    mongodbUrl: {
      ...chainSettings.mongodbUrl,
      description: "Connection string of MongoDB; the sinks get it too.",
    },
    mongodbDatabase: chainSettings.mongodbDatabase,
    topicPrefix: chainSettings.topicPrefix,
    partitions: {
      flag: "--partitions",
      env: "DEVICEMESH_PARTITIONS",
      kind: "integer",
      default: 4,
      minimum: 1,
      maximum: 1000,
      description: "Partitions of the topics; fixed when the mesh is made, so choose for the fleet to come.",
    },
    replication: {
      flag: "--replication",
      env: "DEVICEMESH_REPLICATION",
      kind: "integer",
      default: 1,
      minimum: 1,
      maximum: 10,
      description: "On how many brokers each partition is; from 3 on, one may be away.",
    },
    window: {
      flag: "--window",
      env: "DEVICEMESH_WINDOW",
      kind: "duration",
      default: "10s",
      minimum: "1s",
      maximum: "1d",
      description: "Size of the finest windows; fixed when the mesh is made.",
    },
    segment: {
      flag: "--segment",
      env: "DEVICEMESH_SEGMENT",
      kind: "duration",
      default: "10s",
      minimum: "1s",
      maximum: "1d",
      description:
        "How long arrivals are collected before their windows are stored; fixed when the mesh is made.",
    },
    retainRaw: {
      flag: "--retain-raw",
      env: "DEVICEMESH_RETAIN_RAW",
      kind: "duration",
      minimum: "1s",
      description: "How long raw readings are kept, by their timestamp; for ever by default.",
    },
    retainLog: {
      flag: "--retain-log",
      env: "DEVICEMESH_RETAIN_LOG",
      kind: "duration",
      default: "7d",
      minimum: "1h",
      description: "How long the log keeps messages: the longest outage of sinks or window job without loss.",
    },
    sinkTasks: {
      flag: "--sink-tasks",
      env: "DEVICEMESH_SINK_TASKS",
      kind: "integer",
      default: 2,
      minimum: 1,
      maximum: 1000,
      description: "Into how many tasks each sink is split; not more than there are partitions.",
    },
    host: {
      flag: "--host",
      env: "DEVICEMESH_HOST",
      kind: "string",
      default: "127.0.0.1",
      description: "Address to listen on, for health only.",
    },
    port: {
      flag: "--port",
      env: "DEVICEMESH_OPERATOR_PORT",
      kind: "integer",
      default: 50053,
      minimum: 0,
      maximum: 65535,
      description: "Port of grpc.health.v1; 0 picks a free one.",
    },
    ...metricsSettings(),
    plan: {
      flag: "--plan",
      env: "DEVICEMESH_PLAN",
      kind: "boolean",
      default: false,
      description:
        "Print what differs, change nothing, and end: with 0 if nothing does, with 3 if something does.",
    },
    replay: {
      flag: "--replay",
      env: "DEVICEMESH_REPLAY_SINKS",
      kind: "string",
      placeholder: "FROM",
      description:
        "Have the sinks store again what the log has, wait for them, and end. `restored`: from where a database that was restored is complete; `beginning`; or a time like 2026-11-24T02:00:00Z.",
    },
    logLevel: chainSettings.logLevel,
  },
});

/** What the operator is told. */
export type OperatorConfig = SettingsOf<typeof operatorSettings>;

/** The mesh that the settings describe. */
export function meshOf(config: OperatorConfig): MeshDefinition {
  return {
    names: chainNames({ prefix: config.topicPrefix, database: config.mongodbDatabase }),
    mongodbUrl: config.mongodbUrl,
    partitions: config.partitions,
    replication: config.replication,
    levels: levelsAbove({ windowMs: config.window, segmentMs: config.segment }),
    retainRawMs: config.retainRaw,
    retainLogMs: config.retainLog,
    sinkTasks: config.sinkTasks,
  };
}

/** Where the settings say that the engines are. */
export function enginesOf(config: OperatorConfig): EngineAddresses {
  return {
    kafkaBrokers: listOf(config.kafkaBrokers),
    connectUrl: config.connectUrl,
    mongodbUrl: config.mongodbUrl,
  };
}
