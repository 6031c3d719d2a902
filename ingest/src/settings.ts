import { deviceAccessSettings } from "@devicemesh/identity";
import { addressSettings } from "@devicemesh/kit/settings/address-settings";
import { defineSettings, type SettingsOf } from "@devicemesh/kit/settings/define-settings";
import { metricsSettings } from "@devicemesh/kit/settings/metrics-setting";
import { chainSettings } from "@devicemesh/pipeline";
import { defaultIngestConfig } from "./limits.ts";
import { defaultPartitionedLogLimits } from "./log/kafka/partitioned-log-limits.ts";

/** The settings of ingest as a process of its own, with Kafka behind it. */
export const ingestSettings = defineSettings({
  prefix: "DEVICEMESH_",
  usage: "node ingest/src/main.ts [flags]",
  summary: "Takes readings over gRPC and appends them to a topic of Kafka.",
  settings: {
    ...addressSettings({
      hostVariable: "DEVICEMESH_HOST",
      portVariable: "DEVICEMESH_PORT",
      port: defaultIngestConfig.port,
      hostDescription:
        "Address to listen on; beyond this machine only with identity or --insecure-beyond-loopback.",
    }),
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
