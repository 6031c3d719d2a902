import { deviceAccessSettings } from "@devicemesh/identity";
import { addressSettings } from "@devicemesh/kit/settings/address-settings";
import { connectionSettings } from "@devicemesh/kit/settings/connection-settings";
import { defineSettings, type SettingsOf } from "@devicemesh/kit/settings/define-settings";
import { metricsSettings } from "@devicemesh/kit/settings/metrics-setting";
import { ingestSensorSettings } from "@devicemesh/kit/settings/sensor-settings";
import { chainSettings } from "@devicemesh/pipeline";
import { kafkaSecuritySettings } from "@devicemesh/pipeline/kafka-security";
import { defaultIngestConfig } from "./limits.ts";
import { compressions } from "./log/kafka/kafka-record-batch.ts";
import { defaultPartitionedLogLimits } from "./log/kafka/partitioned-log-limits.ts";

/** The settings of ingest as a separate process, with Kafka behind it. */
export const ingestSettings = defineSettings({
  prefix: "DEVICEMESH_",
  usage: "node ingest/src/main.ts [flags]",
  summary: "Accepts readings over gRPC and appends them to a Kafka topic.",
  settings: {
    ...addressSettings({
      hostVariable: "DEVICEMESH_HOST",
      portVariable: "DEVICEMESH_PORT",
      port: defaultIngestConfig.port,
      hostDescription:
        "Address to listen on; beyond this machine only with identity or --insecure-beyond-loopback.",
    }),
    ...deviceAccessSettings(),
    ...ingestSensorSettings(),
    kafkaBrokers: chainSettings.kafkaBrokers,
    ...kafkaSecuritySettings,
    topicPrefix: chainSettings.topicPrefix,
    kafkaCompression: {
      flag: "--kafka-compression",
      env: "DEVICEMESH_KAFKA_COMPRESSION",
      kind: "string",
      default: defaultPartitionedLogLimits.compression,
      choices: compressions,
      description:
        "Compression of the readings in Kafka. zstd stores a fraction of the bytes and takes more CPU in ingest and in every consumer.",
    },
    appendTimeout: {
      flag: "--append-timeout",
      env: "DEVICEMESH_APPEND_TIMEOUT",
      kind: "duration",
      default: defaultPartitionedLogLimits.appendTimeoutMs,
      minimum: "1s",
      maximum: "5m",
      description:
        "Time for which readings wait for Kafka before the sender receives UNAVAILABLE. Longer than the failover of a broker takes.",
    },
    retainRaw: {
      flag: "--retain-raw",
      env: "DEVICEMESH_RETAIN_RAW",
      kind: "duration",
      description:
        "Retention of readings, by timestamp. Older readings are rejected. Must equal the operator's --retain-raw.",
    },
    maxSeries: {
      flag: "--max-series",
      env: "DEVICEMESH_MAX_SERIES",
      kind: "integer",
      default: 1_000_000,
      minimum: 1,
      maximum: 16_000_000,
      description:
        "Largest number of series (device and sensor) that this instance accepts readings of until the next restart. A reading of another series is rejected.",
    },
    maxSeriesPerPublisher: {
      flag: "--max-series-per-publisher",
      env: "DEVICEMESH_MAX_SERIES_PER_PUBLISHER",
      kind: "integer",
      default: 1_000_000,
      minimum: 1,
      maximum: 16_000_000,
      description:
        "Largest number of those series that one publisher may begin. Publishers without identity count as one.",
    },
    ...connectionSettings(),
    ...metricsSettings(),
    logLevel: chainSettings.logLevel,
  },
});

/** The settings of the process. */
export type IngestSettings = SettingsOf<typeof ingestSettings>;
