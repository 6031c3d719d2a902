import { addressSettings } from "@devicemesh/kit/settings/address-settings";
import { defineSettings, type SettingsOf } from "@devicemesh/kit/settings/define-settings";
import { listOf } from "@devicemesh/kit/settings/list-of";
import { metricsSettings } from "@devicemesh/kit/settings/metrics-setting";
import { openSensorCatalog, sensorSettings } from "@devicemesh/kit/settings/sensor-settings";
import { SettingsError } from "@devicemesh/kit/settings/settings-error";
import { chainNames, chainSettings } from "@devicemesh/pipeline";
import { kafkaSecurityOf, kafkaSecuritySettings } from "@devicemesh/pipeline/kafka-security";
import { defaultLevels, type Level, type Retention, retentionProblem } from "@devicemesh/proto";
import { levelsAbove, type MeshDefinition } from "./definition/mesh-definition.ts";
import type { EngineAddresses } from "./mesh-engines.ts";

/** The settings of the operator: flags, environment variables, help and the README's table in one place. */
export const operatorSettings = defineSettings({
  prefix: "DEVICEMESH_",
  usage: "node operator/src/main.ts [flags]",
  summary:
    "Creates topics, connectors, collections and indexes, reconciles them, and reads the dead letters.",
  settings: {
    kafkaBrokers: chainSettings.kafkaBrokers,
    ...kafkaSecuritySettings,
    connectUrl: {
      flag: "--connect-url",
      env: "DEVICEMESH_CONNECT_URL",
      kind: "string",
      default: "http://127.0.0.1:8083",
      placeholder: "URL",
      description: "URL of Kafka Connect's REST API.",
    },
    sparkMaster: {
      flag: "--spark-master",
      env: "DEVICEMESH_SPARK_MASTER",
      kind: "string",
      placeholder: "HOST:PORT",
      description: "Spark's master, to be watched by a metric. Not watched by default.",
    },
    mongodbUrl: chainSettings.mongodbUrl,
    sinkMongodbUrl: {
      flag: "--sink-mongodb-url",
      env: "DEVICEMESH_SINK_MONGODB_URL",
      kind: "string",
      placeholder: "URL",
      description:
        "Connection string of the sinks; --mongodb-url by default. Kafka Connect stores it in the clear: if it has a password, " +
        `use a file reference: \${directory:/run/secrets:mongodb_url}.`,
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
      description:
        "Partitions of the topics. Fixed when the topics are created: choose for the expected number of devices.",
    },
    replication: {
      flag: "--replication",
      env: "DEVICEMESH_REPLICATION",
      kind: "integer",
      default: 1,
      minimum: 1,
      maximum: 10,
      description: "Replicas of each partition. With 3 or more, one broker may be unavailable.",
    },
    window: {
      flag: "--window",
      env: "DEVICEMESH_WINDOW",
      kind: "duration",
      default: "10s",
      minimum: "1s",
      maximum: "1d",
      description: "Size of the finest windows. Fixed when the mesh is created.",
    },
    segment: {
      flag: "--segment",
      env: "DEVICEMESH_SEGMENT",
      kind: "duration",
      default: "10s",
      minimum: "1s",
      maximum: "1d",
      description: "Size of the finest segments of arrival time. Fixed when the mesh is created.",
    },
    retainRaw: {
      flag: "--retain-raw",
      env: "DEVICEMESH_RETAIN_RAW",
      kind: "duration",
      minimum: "1s",
      description: "Retention of raw readings, by timestamp. Unlimited by default.",
    },
    retain10s: {
      flag: "--retain-10s",
      env: "DEVICEMESH_RETAIN_10S",
      kind: "duration",
      minimum: "1s",
      description: "Retention of the finest windows (10 seconds, see --window). Unlimited by default.",
    },
    retain10min: {
      flag: "--retain-10min",
      env: "DEVICEMESH_RETAIN_10MIN",
      kind: "duration",
      minimum: "1s",
      description: "Retention of 10-minute windows. Unlimited by default.",
    },
    retain1day: {
      flag: "--retain-1day",
      env: "DEVICEMESH_RETAIN_1DAY",
      kind: "duration",
      minimum: "1s",
      description: "Retention of 1-day windows. Unlimited by default.",
    },
    retainLog: {
      flag: "--retain-log",
      env: "DEVICEMESH_RETAIN_LOG",
      kind: "duration",
      default: "7d",
      minimum: "1h",
      description: "Retention of messages in Kafka: the longest outage of sinks or window job without loss.",
    },
    sinkTasks: {
      flag: "--sink-tasks",
      env: "DEVICEMESH_SINK_TASKS",
      kind: "integer",
      default: 2,
      minimum: 1,
      maximum: 1000,
      description: "Tasks of each sink. At most the number of partitions.",
    },
    ...sensorSettings(),
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
        "Print the differences, change nothing, and end with 0 if there are none or 3 if there are some.",
    },
    replay: {
      flag: "--replay",
      env: "DEVICEMESH_REPLAY_SINKS",
      kind: "string",
      placeholder: "FROM",
      description:
        "Make the sinks store the log again from a point in time, wait until they are done, and end. `restored`: the point up to which a restored database is complete; `beginning`; or a time such as 2026-11-24T02:00:00Z.",
    },
    logLevel: chainSettings.logLevel,
  },
});

/** The settings of the operator. */
export type OperatorConfig = SettingsOf<typeof operatorSettings>;

/**
 * Returns the mesh that the settings describe.
 * @throws SettingsError if its retention contradicts itself, or the file of sensors is wrong.
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
    sensors: openSensorCatalog(config).sensors,
  };
}

/** Retention of a level without a flag, or of a level that the mesh does not have, is not checked. */
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

/**
 * Returns the address of the Spark master to watch; undefined if there is none.
 * @throws SettingsError for a malformed address.
 */
export function sparkMasterOf({
  sparkMaster,
}: OperatorConfig): { readonly host: string; readonly port: number } | undefined {
  if (sparkMaster === undefined || sparkMaster === "") return undefined;
  const [, host, port] = /^([^\s:]+):(\d{1,5})$/.exec(sparkMaster) ?? [];
  if (host === undefined)
    throw new SettingsError("--spark-master must be HOST:PORT, such as spark-master:7077");
  return { host, port: Number(port) };
}

/** Returns the addresses of the engines from the settings. */
export function enginesOf(config: OperatorConfig): EngineAddresses {
  return {
    kafkaBrokers: listOf(config.kafkaBrokers),
    kafkaSecurity: kafkaSecurityOf(config),
    connectUrl: config.connectUrl,
    mongodbUrl: config.mongodbUrl,
  };
}
