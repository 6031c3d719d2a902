import { generatorEnvironment } from "@devicemesh/generator";
import { deviceAccessSettings } from "@devicemesh/identity";
import { defineSettings, type SettingsOf } from "@devicemesh/kit/settings/define-settings";
import { ingestSensorSettings } from "@devicemesh/kit/settings/sensor-settings";
import { chainSettings } from "@devicemesh/pipeline";
import { embeddedSettings } from "@devicemesh/standalone/settings";

const { mqttPort, mqttUrl, devices, noGenerator, replay, corsOrigin, retain10s, retain10min, retain1day } =
  embeddedSettings.settings;

/** The settings of `npm run mesh`; those of `npm start` have the same meaning here. */
export const meshSettings = defineSettings({
  prefix: "DEVICEMESH_",
  usage: "npm run mesh -- [status] [flags]",
  summary:
    "Runs the whole mesh on the real engines on this machine: Kafka, Kafka Connect, MongoDB, Spark, and the services behind Envoy, each as a process. `status` lists the processes.",
  foreignEnv: [...generatorEnvironment, "DEVICEMESH_ENGINES_CACHE"],
  positionals: { max: 1, placeholder: "[status]" },
  settings: {
    port: {
      flag: "--port",
      env: "DEVICEMESH_PORT",
      kind: "integer",
      default: 8080,
      minimum: 0,
      maximum: 65535,
      description:
        "Port of Envoy, which serves everything: readings, queries, generator control, the page; 0 picks a free port.",
    },
    certs: {
      flag: "--certs",
      env: "DEVICEMESH_CERTS",
      kind: "string",
      placeholder: "FOLDER",
      description:
        "Credentials made by `npm run certs`. If set, users present tokens on --public-port and devices present certificates on --devices-port. --port stays without authentication.",
    },
    publicPort: {
      flag: "--public-port",
      env: "DEVICEMESH_PUBLIC_PORT",
      kind: "integer",
      default: 8443,
      minimum: 0,
      maximum: 65535,
      description: "Port for users (TLS, tokens), with --certs; 0 picks a free port.",
    },
    devicesPort: {
      flag: "--devices-port",
      env: "DEVICEMESH_DEVICES_PORT",
      kind: "integer",
      default: 8444,
      minimum: 0,
      maximum: 65535,
      description: "Port for devices (mutual TLS), with --certs; 0 picks a free port.",
    },
    ingestPort: {
      flag: "--ingest-port",
      env: "DEVICEMESH_INGEST_PORT",
      kind: "integer",
      default: 0,
      minimum: 0,
      maximum: 65535,
      description: "Port of ingest, behind Envoy; 0 picks a free port.",
    },
    queryPort: {
      flag: "--query-port",
      env: "DEVICEMESH_QUERY_PORT",
      kind: "integer",
      default: 0,
      minimum: 0,
      maximum: 65535,
      description: "Port of query, behind Envoy; 0 picks a free port.",
    },
    generatorPort: {
      flag: "--generator-port",
      env: "DEVICEMESH_GENERATOR_PORT",
      kind: "integer",
      default: 0,
      minimum: 0,
      maximum: 65535,
      description: "Port of the generator's control, behind Envoy; 0 picks a free port.",
    },
    host: {
      flag: "--host",
      env: "DEVICEMESH_HOST",
      kind: "string",
      default: "127.0.0.1",
      description:
        "Address that Envoy listens on. Addresses other than loopback need --certs or --insecure-beyond-loopback. All other processes listen on 127.0.0.1.",
    },
    insecureBeyondLoopback: deviceAccessSettings().insecureBeyondLoopback,
    data: {
      flag: "--data",
      env: "DEVICEMESH_DATA",
      kind: "string",
      default: "./data/mesh",
      placeholder: "FOLDER",
      description: "Folder of the engines' data, the logs and the state of the processes.",
    },
    ...ingestSensorSettings(),
    devices,
    noGenerator,
    replay,
    corsOrigin,
    mqttPort,
    mqttUrl,
    retainRaw: {
      flag: "--retain-raw",
      env: "DEVICEMESH_RETAIN_RAW",
      kind: "duration",
      minimum: "1h",
      description:
        "Retention of raw readings, by timestamp. Older readings are rejected. Unlimited by default.",
    },
    retain10s,
    retain10min,
    retain1day,
    brokers: {
      flag: "--brokers",
      env: "DEVICEMESH_BROKERS",
      kind: "integer",
      default: 1,
      minimum: 1,
      maximum: 3,
      description: "Number of Kafka brokers: 1, or 3 with three replicas of every message.",
    },
    spark: {
      flag: "--spark",
      env: "DEVICEMESH_SPARK",
      kind: "string",
      default: "local",
      choices: ["local", "cluster"],
      description: "Spark in one process (local), or a master with two workers (cluster).",
    },
    partitions: {
      flag: "--partitions",
      env: "DEVICEMESH_PARTITIONS",
      kind: "integer",
      default: 4,
      minimum: 1,
      maximum: 64,
      description: "Partitions of the messages topic. Fixed at the first start.",
    },
    window: {
      flag: "--window",
      env: "DEVICEMESH_WINDOW",
      kind: "duration",
      default: "10s",
      minimum: "1s",
      maximum: "10m",
      description: "Size of the finest windows. Fixed at the first start.",
    },
    segment: {
      flag: "--segment",
      env: "DEVICEMESH_SEGMENT",
      kind: "duration",
      default: "10s",
      minimum: "1s",
      maximum: "10m",
      description: "Size of the finest segments of the log. Fixed at the first start.",
    },
    mongodbUrl: {
      flag: "--mongodb-url",
      env: "DEVICEMESH_MONGODB_URL",
      kind: "string",
      placeholder: "URL",
      description: "Connection string of an existing MongoDB, which is used instead of a local one.",
    },
    mongodbDatabase: chainSettings.mongodbDatabase,
    topicPrefix: chainSettings.topicPrefix,
    logLevel: {
      ...chainSettings.logLevel,
      description: "Log level of the services, as JSON lines in the data folder.",
    },
  },
});

/** The settings of `npm run mesh`. */
export type MeshConfig = SettingsOf<typeof meshSettings>;
