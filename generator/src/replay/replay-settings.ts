import { ingestTlsSettings } from "@devicemesh/client/delivery/ingest-tls";
import { defineSettings, type SettingsOf } from "@devicemesh/kit/settings/define-settings";
import { environmentPrefix, serveVariables, targetSetting } from "../settings.ts";
import { playSettings } from "../simulate/simulate-settings.ts";
import { replayTimes } from "./replay-times.ts";

/** What `generator replay` can be told. */
export const replaySettings = defineSettings({
  prefix: environmentPrefix,
  usage: "npm run generator -- replay FILE [flags]",
  summary:
    "Streams a recording to ingest: a CSV file with the columns device_id, timestamp, sensor and value. Ends with 0 if every row was acknowledged, 1 if not, 2 if it could not start.",
  foreignEnv: [
    ...serveVariables,
    ...Object.values(playSettings.settings)
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
        "The readings' times: their own; shifted so that the latest is now (end-now); or as if live, the first being now (start-now, needs --speed).",
    },
    speed: {
      flag: "--speed",
      env: "DEVICEMESH_GENERATOR_SPEED",
      kind: "number",
      optional: true,
      minimum: 1e-6,
      description: "How many times faster than it was recorded; without, as fast as ingest acknowledges.",
    },
    giveUpAfterMs: {
      flag: "--give-up-after",
      env: "DEVICEMESH_GENERATOR_GIVE_UP_AFTER",
      kind: "duration",
      default: "5m",
      optional: true,
      description: "Gives up when ingest has failed for so long; none tries for ever.",
    },
  },
});

/** The values of `generator replay`. */
export type ReplaySettings = SettingsOf<typeof replaySettings>;
