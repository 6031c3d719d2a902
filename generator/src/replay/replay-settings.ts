import { ingestTlsSettings } from "@devicemesh/client/delivery/ingest-tls";
import { defineSettings, type SettingsOf } from "@devicemesh/kit/settings/define-settings";
import { environmentPrefix, serveVariables, targetSetting } from "../settings.ts";
import { simulateSettings } from "../simulate/simulate-settings.ts";
import { replayTimes } from "./replay-times.ts";

/** The settings of `generator replay`. */
export const replaySettings = defineSettings({
  prefix: environmentPrefix,
  usage: "npm run generator -- replay FILE [flags]",
  summary:
    "Streams a recording to ingest: a CSV file with the columns device_id, timestamp, sensor and value. Exit code 0: every row was acknowledged; 1: some were not; 2: it could not start.",
  foreignEnv: [
    ...serveVariables,
    ...Object.values(simulateSettings.settings)
      .map((setting) => setting.env)
      .filter((env) => env !== targetSetting.env),
  ],
  positionals: { max: 1, placeholder: "FILE" },
  settings: {
    target: targetSetting,
    ...ingestTlsSettings,
    times: {
      flag: "--times",
      env: "DEVICEMESH_GENERATOR_TIMES",
      kind: "string",
      default: "own",
      choices: replayTimes,
      description:
        "Timestamps of the readings: as recorded; shifted so that the latest is now (end-now); or live, starting now (start-now, needs --speed).",
    },
    speed: {
      flag: "--speed",
      env: "DEVICEMESH_GENERATOR_SPEED",
      kind: "number",
      optional: true,
      minimum: 1e-6,
      description: "Speed as a multiple of the recorded speed. As fast as ingest acknowledges by default.",
    },
    giveUpAfterMs: {
      flag: "--give-up-after",
      env: "DEVICEMESH_GENERATOR_GIVE_UP_AFTER",
      kind: "duration",
      default: "5m",
      optional: true,
      description: "Give up after ingest has failed for this time. `none` retries without limit.",
    },
  },
});

/** The values of `generator replay`. */
export type ReplaySettings = SettingsOf<typeof replaySettings>;
