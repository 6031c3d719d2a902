import { generatorEnvironment } from "@devicemesh/generator";
import { deviceAccessSettings } from "@devicemesh/identity";
import { defineSettings, type SettingsOf } from "@devicemesh/kit/settings/define-settings";
import { chainSettings } from "@devicemesh/pipeline";
import { embeddedSettings } from "@devicemesh/standalone/settings";

const { devices, noGenerator, replay, corsOrigin, retain10s, retain10min, retain1day } =
  embeddedSettings.settings;

/** The settings of `npm run mesh`; those of `npm start` mean the same here. */
export const meshSettings = defineSettings({
  prefix: "DEVICEMESH_",
  usage: "npm run mesh -- [status] [flags]",
  summary:
    "Runs the whole mesh over the real engines on this machine: Kafka, Kafka Connect, MongoDB, Spark, and our services behind Envoy, each a process. `status` shows what runs.",
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
        "Port of the front door, which takes everything: readings, questions, generator control, the page; 0 picks a free one.",
    },
    certs: {
      flag: "--certs",
      env: "DEVICEMESH_CERTS",
      kind: "string",
      placeholder: "FOLDER",
      description:
        "What `npm run certs` has made: people show tokens on --public-port and devices certificates on --devices-port then, and on --port nobody is known.",
    },
    publicPort: {
      flag: "--public-port",
      env: "DEVICEMESH_PUBLIC_PORT",
      kind: "integer",
      default: 8443,
      minimum: 0,
      maximum: 65535,
      description: "Port for people (TLS, tokens), with --certs; 0 picks a free one.",
    },
    devicesPort: {
      flag: "--devices-port",
      env: "DEVICEMESH_DEVICES_PORT",
      kind: "integer",
      default: 8444,
      minimum: 0,
      maximum: 65535,
      description: "Port for devices (mutual TLS), with --certs; 0 picks a free one.",
    },
    ingestPort: {
      flag: "--ingest-port",
      env: "DEVICEMESH_INGEST_PORT",
      kind: "integer",
      default: 0,
      minimum: 0,
      maximum: 65535,
      description: "Port of ingest, behind the front door; 0 picks a free one.",
    },
    queryPort: {
      flag: "--query-port",
      env: "DEVICEMESH_QUERY_PORT",
      kind: "integer",
      default: 0,
      minimum: 0,
      maximum: 65535,
      description: "Port of query, behind the front door; 0 picks a free one.",
    },
    generatorPort: {
      flag: "--generator-port",
      env: "DEVICEMESH_GENERATOR_PORT",
      kind: "integer",
      default: 0,
      minimum: 0,
      maximum: 65535,
      description: "Port of the generator's control, behind the front door; 0 picks a free one.",
    },
    host: {
      flag: "--host",
      env: "DEVICEMESH_HOST",
      kind: "string",
      default: "127.0.0.1",
      description:
        "Address that the front door listens on; beyond this machine only with --certs or --insecure-beyond-loopback. All else always listens on 127.0.0.1.",
    },
    insecureBeyondLoopback: deviceAccessSettings().insecureBeyondLoopback,
    data: {
      flag: "--data",
      env: "DEVICEMESH_DATA",
      kind: "string",
      default: "./data/mesh",
      placeholder: "FOLDER",
      description: "Folder of the engines' data, the logs, and what runs.",
    },
    devices,
    noGenerator,
    replay,
    corsOrigin,
    retainRaw: {
      flag: "--retain-raw",
      env: "DEVICEMESH_RETAIN_RAW",
      kind: "duration",
      minimum: "1h",
      description:
        "How long raw readings are kept, by their timestamp; older ones are refused; for ever by default.",
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
      description: "Kafka brokers: 1, or 3 with every message on three of them.",
    },
    spark: {
      flag: "--spark",
      env: "DEVICEMESH_SPARK",
      kind: "string",
      default: "local",
      choices: ["local", "cluster"],
      description: "Spark in one process, or a master with two workers.",
    },
    partitions: {
      flag: "--partitions",
      env: "DEVICEMESH_PARTITIONS",
      kind: "integer",
      default: 4,
      minimum: 1,
      maximum: 64,
      description: "Partitions of the messages topic; fixed when the mesh is first started.",
    },
    window: {
      flag: "--window",
      env: "DEVICEMESH_WINDOW",
      kind: "duration",
      default: "10s",
      minimum: "1s",
      maximum: "10m",
      description: "Size of the finest windows; fixed when the mesh is first started.",
    },
    segment: {
      flag: "--segment",
      env: "DEVICEMESH_SEGMENT",
      kind: "duration",
      default: "10s",
      minimum: "1s",
      maximum: "10m",
      description: "Size of the finest segments of the log; fixed when the mesh is first started.",
    },
    mongodbUrl: {
      flag: "--mongodb-url",
      env: "DEVICEMESH_MONGODB_URL",
      kind: "string",
      placeholder: "URL",
      description: "A MongoDB of your own, instead of one that is started here.",
    },
    mongodbDatabase: chainSettings.mongodbDatabase,
    topicPrefix: chainSettings.topicPrefix,
    logLevel: {
      ...chainSettings.logLevel,
      description: "What the services log, as JSON lines into the data folder.",
    },
  },
});

/** What `npm run mesh` is told. */
export type MeshConfig = SettingsOf<typeof meshSettings>;
