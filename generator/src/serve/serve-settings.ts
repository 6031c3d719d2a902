import { userAccessSettings } from "@devicemesh/identity";
import { addressSettings } from "@devicemesh/kit/settings/address-settings";
import { defineSettings, type SettingsOf } from "@devicemesh/kit/settings/define-settings";
import { metricsSettings } from "@devicemesh/kit/settings/metrics-setting";
import { replayVariables } from "../settings.ts";
import { simulateSettings } from "../simulate/simulate-settings.ts";

const { durationMs, ...simulating } = simulateSettings.settings;

/** The settings of `generator serve`. */
export const serveSettings = defineSettings({
  prefix: simulateSettings.prefix,
  usage: "npm run generator -- serve [flags]",
  summary:
    "Simulates devices that send readings to ingest, and serves GeneratorService, which starts and stops the simulation and reports its status. Prints `listening on HOST:PORT`.",
  foreignEnv: [durationMs.env, ...replayVariables],
  settings: {
    ...addressSettings({
      hostVariable: "DEVICEMESH_GENERATOR_HOST",
      portVariable: "DEVICEMESH_GENERATOR_PORT",
      port: 8081,
      hostDescription:
        "Address to listen on; beyond this machine only with --jwks or --insecure-beyond-loopback.",
    }),
    idle: {
      flag: "--idle",
      env: "DEVICEMESH_GENERATOR_IDLE",
      kind: "boolean",
      default: false,
      description: "Do not simulate until StartGenerator is called.",
    },
    ...metricsSettings(simulateSettings.prefix),
    ...userAccessSettings(simulateSettings.prefix),
    ...simulating,
  },
});

/** The values of `generator serve`. */
export type ServeSettings = SettingsOf<typeof serveSettings>;
