import { userAccessSettings } from "@devicemesh/identity";
import { metricsSettings } from "@devicemesh/kit/metrics-setting";
import { defineSettings, type SettingsOf } from "@devicemesh/kit/settings";
import { playSettings } from "./play-settings.ts";
import { replayVariables } from "./shared-settings.ts";

const { durationMs, ...playing } = playSettings.settings;

/** What `generator serve` can be told. */
export const serveSettings = defineSettings({
  prefix: playSettings.prefix,
  usage: "npm run generator -- serve [flags]",
  summary:
    "Plays devices that send readings to ingest, and serves GeneratorService: others start it, stop it and ask what it does. Prints `listening on HOST:PORT`.",
  foreignEnv: [durationMs.env, ...replayVariables],
  settings: {
    host: {
      flag: "--host",
      env: "DEVICEMESH_GENERATOR_HOST",
      kind: "string",
      default: "127.0.0.1",
      description:
        "Address to listen on; beyond this machine only with --jwks or --insecure-beyond-loopback.",
    },
    port: {
      flag: "--port",
      env: "DEVICEMESH_GENERATOR_PORT",
      kind: "integer",
      default: 8081,
      minimum: 0,
      maximum: 65535,
      description: "Port to listen on; 0 picks a free one.",
    },
    idle: {
      flag: "--idle",
      env: "DEVICEMESH_GENERATOR_IDLE",
      kind: "boolean",
      default: false,
      description: "Play nothing until StartGenerator is called.",
    },
    ...metricsSettings(playSettings.prefix),
    ...userAccessSettings(playSettings.prefix),
    ...playing,
  },
});

/** The values of `generator serve`. */
export type ServeSettings = SettingsOf<typeof serveSettings>;
