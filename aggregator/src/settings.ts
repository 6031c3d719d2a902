import { addressSettings } from "@devicemesh/kit/settings/address-settings";
import { defineSettings, type SettingsOf } from "@devicemesh/kit/settings/define-settings";
import { metricsSettings } from "@devicemesh/kit/settings/metrics-setting";
import { chainSettings } from "@devicemesh/pipeline";
import { kafkaSecuritySettings } from "@devicemesh/pipeline/kafka-security";

/** The settings of the aggregator: flags, environment variables and help in one place. */
export const aggregatorSettings = defineSettings({
  prefix: "DEVICEMESH_",
  usage: "node aggregator/src/main.ts [flags]",
  summary:
    "Runs the window job on Spark and publishes its progress. Several instances may run: one is the leader, the others wait.",
  settings: {
    ...addressSettings({
      hostVariable: "DEVICEMESH_HOST",
      portVariable: "DEVICEMESH_AGGREGATOR_PORT",
      port: 50054,
      hostDescription: "Address to listen on; there is no authentication, so keep it inside.",
      portDescription: "Port of status, health and reflection (Connect, gRPC, gRPC-Web); 0 picks a free one.",
    }),
    ...metricsSettings(),
    ...chainSettings,
    ...kafkaSecuritySettings,
    sparkUrl: {
      flag: "--spark-url",
      env: "DEVICEMESH_SPARK_URL",
      kind: "string",
      default: "127.0.0.1:15002",
      placeholder: "HOST:PORT",
      description: "Address of Spark Connect.",
    },
    sparkTls: {
      flag: "--spark-tls",
      env: "DEVICEMESH_SPARK_TLS",
      kind: "boolean",
      description:
        "Connect to Spark Connect over TLS, which a managed Spark or a proxy in front of it serves. Implied by --spark-ca.",
    },
    sparkCa: {
      flag: "--spark-ca",
      env: "DEVICEMESH_SPARK_CA",
      kind: "string",
      placeholder: "FILE",
      description: "CA (PEM) of the certificate of Spark Connect. The CAs of Node by default.",
    },
    sparkToken: {
      flag: "--spark-token",
      env: "DEVICEMESH_SPARK_TOKEN",
      kind: "string",
      placeholder: "TEXT",
      description:
        "Token that Spark Connect requires (its SPARK_CONNECT_AUTHENTICATE_TOKEN). Spark Connect executes any plan that it receives: set a token wherever other hosts can reach it.",
    },
    checkpoints: {
      flag: "--checkpoints",
      env: "DEVICEMESH_CHECKPOINTS",
      kind: "string",
      default: "checkpoints",
      placeholder: "FOLDER",
      description:
        "Folder or URL of Spark's checkpoints, as Spark sees it. All Spark hosts must reach the same one.",
    },
    clockSkew: {
      flag: "--clock-skew",
      env: "DEVICEMESH_CLOCK_SKEW",
      kind: "duration",
      default: "0s",
      minimum: 0,
      maximum: "1m",
      description:
        "Largest difference between the clocks of the brokers. Use 2s where the brokers run on several machines. Windows close later by this time.",
    },
  },
});

/** The settings of the aggregator. */
export type AggregatorConfig = SettingsOf<typeof aggregatorSettings>;
