import { addressSettings } from "@devicemesh/kit/settings/address-settings";
import { defineSettings, type SettingsOf } from "@devicemesh/kit/settings/define-settings";
import { metricsSettings } from "@devicemesh/kit/settings/metrics-setting";
import { chainSettings } from "@devicemesh/pipeline";

/** The settings of the aggregator: flags, environment variables and help in one place. */
export const aggregatorSettings = defineSettings({
  prefix: "DEVICEMESH_",
  usage: "node aggregator/src/main.ts [flags]",
  summary:
    "Has Spark fold messages into windows, and publishes how far everything is. Several may run: one is active, the others wait.",
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
    sparkUrl: {
      flag: "--spark-url",
      env: "DEVICEMESH_SPARK_URL",
      kind: "string",
      default: "127.0.0.1:15002",
      placeholder: "HOST:PORT",
      description: "Spark Connect.",
    },
    sparkToken: {
      flag: "--spark-token",
      env: "DEVICEMESH_SPARK_TOKEN",
      kind: "string",
      placeholder: "TEXT",
      description:
        "What Spark Connect wants to be shown: its SPARK_CONNECT_AUTHENTICATE_TOKEN. It runs whatever it is sent, so set one wherever others can connect.",
    },
    checkpoints: {
      flag: "--checkpoints",
      env: "DEVICEMESH_CHECKPOINTS",
      kind: "string",
      default: "checkpoints",
      placeholder: "FOLDER",
      description:
        "Folder (or URL) for Spark's checkpoints, as Spark sees it; all its machines must reach the same one.",
    },
    clockSkew: {
      flag: "--clock-skew",
      env: "DEVICEMESH_CLOCK_SKEW",
      kind: "duration",
      default: "0s",
      minimum: 0,
      maximum: "1m",
      description:
        "How far the clocks of the brokers may differ; 2s is a good value where they run on several machines. It delays windows by as much.",
    },
  },
});

/** What the aggregator is told. */
export type AggregatorConfig = SettingsOf<typeof aggregatorSettings>;
