import { addressSettings } from "@devicemesh/kit/settings/address-settings";
import { defineSettings, type SettingsOf } from "@devicemesh/kit/settings/define-settings";
import { metricsSettings } from "@devicemesh/kit/settings/metrics-setting";
import { SettingsError } from "@devicemesh/kit/settings/settings-error";
import { chainNames, chainSettings, listOf } from "@devicemesh/pipeline";
import { defaultLevels, type Level, type Retention, retentionProblem } from "@devicemesh/proto";
import { levelsAbove, type MeshDefinition } from "./definition/mesh-definition.ts";
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
    mongodbUrl: chainSettings.mongodbUrl,
    sinkMongodbUrl: {
      flag: "--sink-mongodb-url",
      env: "DEVICEMESH_SINK_MONGODB_URL",
      kind: "string",
      placeholder: "URL",
      description:
        "What the sinks get as connection string; --mongodb-url by default. Kafka Connect keeps it and shows it, so " +
        `let it name a file where it has a password: \${directory:/run/secrets:mongodb_url}.`,
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
    retain10s: {
      flag: "--retain-10s",
      env: "DEVICEMESH_RETAIN_10S",
      kind: "duration",
      minimum: "1s",
      description: "How long the finest windows (of 10 seconds, see --window) are kept; for ever by default.",
    },
    retain10min: {
      flag: "--retain-10min",
      env: "DEVICEMESH_RETAIN_10MIN",
      kind: "duration",
      minimum: "1s",
      description: "How long 10-minute windows are kept; for ever by default.",
    },
    retain1day: {
      flag: "--retain-1day",
      env: "DEVICEMESH_RETAIN_1DAY",
      kind: "duration",
      minimum: "1s",
      description: "How long 1-day windows are kept; for ever by default.",
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
    ...addressSettings({
      hostVariable: "DEVICEMESH_HOST",
      portVariable: "DEVICEMESH_OPERATOR_PORT",
      port: 50053,
      hostDescription: "Address to listen on, for health only.",
      portDescription: "Port of grpc.health.v1; 0 picks a free one.",
    }),
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

/**
 * The mesh that the settings describe.
 * @throws SettingsError if its retention contradicts itself.
 */
export function meshOf(config: OperatorConfig): MeshDefinition {
  const levels = levelsAbove({ windowMs: config.window, segmentMs: config.segment });
  return {
    names: chainNames({ prefix: config.topicPrefix, database: config.mongodbDatabase }),
    sinkMongodbUrl: config.sinkMongodbUrl ?? config.mongodbUrl,
    partitions: config.partitions,
    replication: config.replication,
    levels,
    retention: retentionOf(config, levels),
    retainLogMs: config.retainLog,
    sinkTasks: config.sinkTasks,
  };
}

/** A level without a flag of its own, and one that the mesh does not have, is no concern of the retention. */
function retentionOf(config: OperatorConfig, levels: readonly Level[]): Retention {
  const { retainRaw, retain10s, retain10min, retain1day } = operatorSettings.settings;
  const [, ...coarser] = levels;
  const kept = coarser.map(({ windowMs }) =>
    windowMs === defaultLevels[1]?.windowMs
      ? { ms: config.retain10min, flag: retain10min.flag }
      : { ms: config.retain1day, flag: retain1day.flag },
  );
  const retention = { rawMs: config.retainRaw, levelsMs: [config.retain10s, ...kept.map(({ ms }) => ms)] };
  const names = [retainRaw.flag, retain10s.flag, ...kept.map(({ flag }) => flag)];
  const problem = retentionProblem(retention, names);
  if (problem) throw new SettingsError(problem);
  return retention;
}

/** Where the settings say that the engines are. */
export function enginesOf(config: OperatorConfig): EngineAddresses {
  return {
    kafkaBrokers: listOf(config.kafkaBrokers),
    connectUrl: config.connectUrl,
    mongodbUrl: config.mongodbUrl,
  };
}
