import { gatewaySettings } from "@devicemesh/gateway/settings";
import { generatorEnvironment } from "@devicemesh/generator";
import { deviceAccessSettings, userAccessSettings } from "@devicemesh/identity";
import { importEnvironment } from "@devicemesh/import";
import { connectionSettings } from "@devicemesh/kit/settings/connection-settings";
import { defineSettings, type SettingsOf } from "@devicemesh/kit/settings/define-settings";
import { logLevelSetting } from "@devicemesh/kit/settings/log-level-setting";
import { metricsSettings } from "@devicemesh/kit/settings/metrics-setting";
import { ingestSensorSettings } from "@devicemesh/kit/settings/sensor-settings";
import { type Retention, retentionProblem } from "@devicemesh/proto";
import { defaultSeriesLimits } from "@devicemesh/store-duckdb/admission";
import { devicesByDefault } from "./limits.ts";

/** The settings of `npm start`: flags, environment variables, help and the README's table in one place. */
export const embeddedSettings = defineSettings({
  prefix: "DEVICEMESH_",
  usage: "npm start -- [flags]",
  summary:
    "Runs the whole mesh in one process: ingest, query, generator and a page, over one file in the data folder.",
  // Generator and import have commands with settings of their own.
  foreignEnv: [...generatorEnvironment, ...importEnvironment],
  misnamed: { "--port": "--query-port", "--folder": "--data", "--seed-data": "--replay" },
  settings: {
    ingestPort: {
      flag: "--ingest-port",
      env: "DEVICEMESH_INGEST_PORT",
      kind: "integer",
      default: 50051,
      minimum: 0,
      maximum: 65535,
      description:
        "Port of ingest alone (gRPC), the fast lane for large streams of readings; 0 picks a free port.",
    },
    queryPort: {
      flag: "--query-port",
      env: "DEVICEMESH_QUERY_PORT",
      kind: "integer",
      default: 8080,
      minimum: 0,
      maximum: 65535,
      description:
        "Port of everything: dashboard, ingest, query, generator control, HTTP resources; 0 picks a free port.",
    },
    host: {
      flag: "--host",
      env: "DEVICEMESH_HOST",
      kind: "string",
      default: "127.0.0.1",
      description:
        "Address to listen on. Addresses other than loopback need --jwks and --device-ca, or --insecure-beyond-loopback.",
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
      description: "Number of simulated devices, one reading a second each. 12 by default, 0 with --replay.",
    },
    noGenerator: {
      flag: "--no-generator",
      env: "DEVICEMESH_NO_GENERATOR",
      kind: "boolean",
      default: false,
      description: "Do not simulate devices at the start.",
    },
    noBackfill: {
      flag: "--no-backfill",
      env: "DEVICEMESH_NO_BACKFILL",
      kind: "boolean",
      default: false,
      description: "Do not send the last 24 hours of the simulated devices to an empty store.",
    },
    open: {
      flag: "--open",
      env: "DEVICEMESH_OPEN",
      kind: "boolean",
      default: false,
      description: "Open the dashboard in the browser.",
    },
    replay: {
      flag: "--replay",
      env: "DEVICEMESH_REPLAY",
      kind: "string",
      placeholder: "FILE",
      description:
        "Load a recording that needs no flags (see npm run import) at the start, as fast as it is acknowledged.",
    },
    corsOrigin: {
      flag: "--cors-origin",
      env: "DEVICEMESH_CORS_ORIGIN",
      kind: "string",
      placeholder: "ORIGIN",
      description:
        "Origins of web pages that may call the services on the query port, sending readings included, separated by commas. None by default.",
    },
    ...gatewaySettings(),
    ...userAccessSettings(),
    ...deviceAccessSettings(),
    ...ingestSensorSettings(),
    generatorCa: {
      flag: "--generator-ca",
      env: "DEVICEMESH_GENERATOR_CA",
      kind: "string",
      placeholder: "FILE",
      description: "CA (PEM) of ingest's certificate, for the generator; --device-ca by default.",
    },
    generatorCertificate: {
      flag: "--generator-cert",
      env: "DEVICEMESH_GENERATOR_CERT",
      kind: "string",
      placeholder: "FILE",
      description:
        "Certificate (PEM) of the generator: a gateway certificate whose prefix covers its devices.",
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
      description: "Prefix of the ids of simulated devices.",
    },
    retainRaw: {
      flag: "--retain-raw",
      env: "DEVICEMESH_RETAIN_RAW",
      kind: "duration",
      description:
        "Retention of raw readings, by timestamp. Older readings are rejected. Unlimited by default.",
    },
    retain10s: {
      flag: "--retain-10s",
      env: "DEVICEMESH_RETAIN_10S",
      kind: "duration",
      description: "Retention of 10-second windows. Unlimited by default.",
    },
    retain10min: {
      flag: "--retain-10min",
      env: "DEVICEMESH_RETAIN_10MIN",
      kind: "duration",
      description: "Retention of 10-minute windows. Unlimited by default.",
    },
    retain1day: {
      flag: "--retain-1day",
      env: "DEVICEMESH_RETAIN_1DAY",
      kind: "duration",
      description: "Retention of 1-day windows. Unlimited by default.",
    },
    maxSeries: {
      flag: "--max-series",
      env: "DEVICEMESH_MAX_SERIES",
      kind: "integer",
      default: defaultSeriesLimits.max,
      minimum: 1,
      maximum: 16_000_000,
      description:
        "Largest number of series (device and sensor) in the store. A reading that would create another series is rejected.",
    },
    maxSeriesPerPublisher: {
      flag: "--max-series-per-publisher",
      env: "DEVICEMESH_MAX_SERIES_PER_PUBLISHER",
      kind: "integer",
      default: defaultSeriesLimits.maxPerPublisher,
      minimum: 1,
      maximum: 16_000_000,
      description:
        "Largest number of series that one publisher may create until the next restart. Publishers without identity count as one.",
    },
    minFree: {
      flag: "--min-free",
      env: "DEVICEMESH_MIN_FREE",
      kind: "bytes",
      description:
        "Free disk space to keep. With less, readings are rejected and queries are still answered. 256MiB by default, or a quarter of a smaller file system.",
    },
    maxDuplicates: {
      flag: "--max-duplicates",
      env: "DEVICEMESH_MAX_DUPLICATES",
      kind: "integer",
      default: 1_000_000,
      minimum: 1,
      description:
        "Largest number of duplicates and conflicts of one device in an hour. Beyond it, readings of the device that are not later than the stored ones are rejected until the hour ends.",
    },
    ...connectionSettings(),
    ...metricsSettings(),
    logLevel: logLevelSetting({ level: "warn" }),
  },
});

/** Number of devices that are simulated from the start; 0 with a replay, unless the flag is set. */
export function devicesAtStart({
  devices,
  noGenerator,
  replay,
}: Pick<EmbeddedConfig, "devices" | "noGenerator" | "replay">): number {
  if (noGenerator) return 0;
  return devices ?? (replay === undefined ? devicesByDefault : 0);
}

/** The settings of `npm start`. */
export type EmbeddedConfig = SettingsOf<typeof embeddedSettings>;

/**
 * Returns the retention of the settings, for the default levels.
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
