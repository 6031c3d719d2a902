import { chainSettings } from "@devicemesh/chain";
import { deviceAccessSettings } from "@devicemesh/identity";
import { metricsSettings } from "@devicemesh/kit/metrics-setting";
import { defineSettings, type SettingsOf } from "@devicemesh/kit/settings";
import { defaultIngestConfig } from "./config.ts";
import { defaultPartitionedLogLimits } from "./partitioned-log-limits.ts";

/** The settings of ingest as a process of its own, with Kafka behind it. */
export const ingestSettings = defineSettings({
  prefix: "DEVICEMESH_",
  usage: "node ingest/src/main.ts [flags]",
  summary: "Takes readings over gRPC and appends them to a topic of Kafka.",
  settings: {
    host: {
      flag: "--host",
      env: "DEVICEMESH_HOST",
      kind: "string",
      default: defaultIngestConfig.host,
      description:
        "Address to listen on; beyond this machine only with identity or --insecure-beyond-loopback.",
    },
    port: {
      flag: "--port",
      env: "DEVICEMESH_PORT",
      kind: "integer",
      default: defaultIngestConfig.port,
      minimum: 0,
      maximum: 65535,
      description: "Port to listen on; 0 picks a free one.",
    },
    ...deviceAccessSettings(),
    kafkaBrokers: chainSettings.kafkaBrokers,
    topicPrefix: chainSettings.topicPrefix,
    appendTimeout: {
      flag: "--append-timeout",
      env: "DEVICEMESH_APPEND_TIMEOUT",
      kind: "duration",
      default: defaultPartitionedLogLimits.appendTimeoutMs,
      minimum: "1s",
      maximum: "5m",
      description:
        "How long readings may wait for Kafka before their sender is told to try again; longer than a broker takes to be replaced.",
    },
    retainRaw: {
      flag: "--retain-raw",
      env: "DEVICEMESH_RETAIN_RAW",
      kind: "duration",
      description:
        "How long readings are kept, by their timestamp; older ones are refused. As the operator is told.",
    },
    ...metricsSettings(),
    logLevel: chainSettings.logLevel,
  },
});

/** What the process is told. */
export type IngestSettings = SettingsOf<typeof ingestSettings>;
