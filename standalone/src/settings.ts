import { gatewaySettings } from "@devicemesh/gateway/settings";
import { generatorEnvironment } from "@devicemesh/generator";
import { deviceAccessSettings, userAccessSettings } from "@devicemesh/identity";
import { defineSettings, type SettingsOf } from "@devicemesh/kit/settings/define-settings";
import { metricsSettings } from "@devicemesh/kit/settings/metrics-setting";
import { type Retention, retentionProblem } from "@devicemesh/proto";
import { defaultSeriesLimits } from "@devicemesh/store-duckdb/series/series-admission";

/** The settings of `npm start`: flags, environment variables, help and the README's table in one place. */
export const embeddedSettings = defineSettings({
  prefix: "DEVICEMESH_",
  usage: "npm start -- [flags]",
  summary:
    "Runs the whole mesh in one process: ingest, query, generator and a page, over one file in the data folder.",
  // The generator's own command has its own settings.
  foreignEnv: generatorEnvironment,
  misnamed: { "--port": "--query-port", "--folder": "--data", "--seed-data": "--replay" },
  settings: {
    ingestPort: {
      flag: "--ingest-port",
      env: "DEVICEMESH_INGEST_PORT",
      kind: "integer",
      default: 50051,
      minimum: 0,
      maximum: 65535,
      description: "Port that takes readings (gRPC); 0 picks a free one.",
    },
    queryPort: {
      flag: "--query-port",
      env: "DEVICEMESH_QUERY_PORT",
      kind: "integer",
      default: 8080,
      minimum: 0,
      maximum: 65535,
      description: "Port of query, generator control and page; 0 picks a free one.",
    },
    host: {
      flag: "--host",
      env: "DEVICEMESH_HOST",
      kind: "string",
      default: "127.0.0.1",
      description:
        "Address to listen on; beyond this machine only with --jwks and --device-ca, or --insecure-beyond-loopback.",
    },
    data: {
      flag: "--data",
      env: "DEVICEMESH_DATA",
      kind: "string",
      default: "./data",
      placeholder: "FOLDER",
      description: "Folder of the store.",
    },
    devices: {
      flag: "--devices",
      env: "DEVICEMESH_DEVICES",
      kind: "integer",
      minimum: 1,
      maximum: 100_000,
      description:
        "How many devices the generator simulates, one reading a second each; 12 by default, none with --replay.",
    },
    noGenerator: {
      flag: "--no-generator",
      env: "DEVICEMESH_NO_GENERATOR",
      kind: "boolean",
      default: false,
      description: "Simulate no devices at the start.",
    },
    replay: {
      flag: "--replay",
      env: "DEVICEMESH_REPLAY",
      kind: "string",
      placeholder: "FILE",
      description:
        "Send a CSV recording (device_id,timestamp,sensor,value) first, as fast as acknowledged, then keep serving.",
    },
    corsOrigin: {
      flag: "--cors-origin",
      env: "DEVICEMESH_CORS_ORIGIN",
      kind: "string",
      placeholder: "ORIGIN",
      description: "Origin of web pages that may call query, several with commas; none by default.",
    },
    ...gatewaySettings(),
    ...userAccessSettings(),
    ...deviceAccessSettings(),
    generatorCa: {
      flag: "--generator-ca",
      env: "DEVICEMESH_GENERATOR_CA",
      kind: "string",
      placeholder: "FILE",
      description:
        "CA (PEM) by which the generator knows ingest, where there is TLS; --device-ca by default.",
    },
    generatorCertificate: {
      flag: "--generator-cert",
      env: "DEVICEMESH_GENERATOR_CERT",
      kind: "string",
      placeholder: "FILE",
      description: "Certificate (PEM) of the generator: of a gateway whose prefix covers its devices.",
    },
    generatorKey: {
      flag: "--generator-key",
      env: "DEVICEMESH_GENERATOR_KEY",
      kind: "string",
      placeholder: "FILE",
      description: "Private key (PEM) of that certificate.",
    },
    generatorPrefix: {
      flag: "--generator-prefix",
      env: "DEVICEMESH_GENERATOR_DEVICE_PREFIX",
      kind: "string",
      default: "",
      placeholder: "TEXT",
      description: "Stands before the ids of the devices that the generator plays.",
    },
    retainRaw: {
      flag: "--retain-raw",
      env: "DEVICEMESH_RETAIN_RAW",
      kind: "duration",
      description:
        "How long raw readings are kept, by their timestamp; older ones are refused; for ever by default.",
    },
    retain10s: {
      flag: "--retain-10s",
      env: "DEVICEMESH_RETAIN_10S",
      kind: "duration",
      description: "How long 10-second windows are kept; for ever by default.",
    },
    retain10min: {
      flag: "--retain-10min",
      env: "DEVICEMESH_RETAIN_10MIN",
      kind: "duration",
      description: "How long 10-minute windows are kept; for ever by default.",
    },
    retain1day: {
      flag: "--retain-1day",
      env: "DEVICEMESH_RETAIN_1DAY",
      kind: "duration",
      description: "How long 1-day windows are kept; for ever by default.",
    },
    maxSeries: {
      flag: "--max-series",
      env: "DEVICEMESH_MAX_SERIES",
      kind: "integer",
      default: defaultSeriesLimits.max,
      minimum: 1,
      maximum: 16_000_000,
      description:
        "The most series (device and sensor) in the store; a reading that would begin another one is rejected.",
    },
    maxSeriesPerPublisher: {
      flag: "--max-series-per-publisher",
      env: "DEVICEMESH_MAX_SERIES_PER_PUBLISHER",
      kind: "integer",
      default: defaultSeriesLimits.maxPerPublisher,
      minimum: 1,
      maximum: 16_000_000,
      description:
        "The most series that one publisher may begin before the next restart; publishers without identity count as one.",
    },
    minFree: {
      flag: "--min-free",
      env: "DEVICEMESH_MIN_FREE",
      kind: "bytes",
      description:
        "Free space to keep on the disk of the store: with less, readings are rejected until there is more, and queries are answered; 256MiB by default, or a quarter of a smaller file system.",
    },
    maxDuplicates: {
      flag: "--max-duplicates",
      env: "DEVICEMESH_MAX_DUPLICATES",
      kind: "integer",
      default: 1_000_000,
      minimum: 1,
      description:
        "Duplicates and conflicts of one device in an hour; beyond, its readings are rejected until the hour ends, unless they are later than those stored.",
    },
    ...metricsSettings(),
    logLevel: {
      flag: "--log-level",
      env: "DEVICEMESH_LOG_LEVEL",
      kind: "string",
      default: "warn",
      choices: ["trace", "debug", "info", "warn", "error", "fatal", "silent"],
      description: "What is logged, as JSON lines on standard error.",
    },
  },
});

/** How many devices are simulated from the start; 0 beside a replay, unless the flag asks for some. */
export function devicesAtStart({
  devices,
  noGenerator,
  replay,
}: Pick<EmbeddedConfig, "devices" | "noGenerator" | "replay">): number {
  if (noGenerator) return 0;
  return devices ?? (replay === undefined ? devicesByDefault : 0);
}

const devicesByDefault = 12;

/** What `npm start` is told. */
export type EmbeddedConfig = SettingsOf<typeof embeddedSettings>;

/**
 * The retention in the settings, for the default levels.
 * @throws RangeError that names the flags if they contradict each other.
 */
export function retentionOf(config: EmbeddedConfig): Retention {
  const retention = {
    rawMs: config.retainRaw,
    levelsMs: [config.retain10s, config.retain10min, config.retain1day],
  };
  const { retainRaw, retain10s, retain10min, retain1day } = embeddedSettings.settings;
  const flags = [retainRaw, retain10s, retain10min, retain1day].map(({ flag }) => flag);
  const problem = retentionProblem(retention, flags);
  if (problem) throw new RangeError(problem);
  return retention;
}
