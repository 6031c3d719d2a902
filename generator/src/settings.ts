import { userAccessSettings } from "@devicemesh/identity";
import { metricsSettings } from "@devicemesh/kit/settings/metrics-setting";

/** The prefix of the environment variables of the generator's command line. */
export const environmentPrefix = "DEVICEMESH_GENERATOR_";

/** The address of ingest, for every subcommand. */
export const targetSetting = {
  flag: "--target",
  env: "DEVICEMESH_GENERATOR_TARGET",
  kind: "string",
  default: "127.0.0.1:50051",
  placeholder: "HOST:PORT",
  description: "Address of ingest.",
} as const;

/** The variables that only `serve` reads; the other commands ignore them. */
export const serveVariables = [
  "DEVICEMESH_GENERATOR_HOST",
  "DEVICEMESH_GENERATOR_PORT",
  "DEVICEMESH_GENERATOR_IDLE",
  ...Object.values(metricsSettings(environmentPrefix)).map(({ env }) => env),
  ...Object.values(userAccessSettings(environmentPrefix)).map(({ env }) => env),
];

/** The variables that only `replay` reads; the other commands ignore them. */
export const replayVariables = [
  "DEVICEMESH_GENERATOR_TIMES",
  "DEVICEMESH_GENERATOR_SPEED",
  "DEVICEMESH_GENERATOR_GIVE_UP_AFTER",
] as const;
