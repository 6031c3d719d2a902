import { replaySettings } from "./replay/replay-settings.ts";
import { serveSettings } from "./serve/serve-settings.ts";
import { simulateSettings } from "./simulate/simulate-settings.ts";

/** The environment variables of the generator's command, which programs with a wider prefix must ignore. */
export const generatorEnvironment: readonly string[] = [
  ...new Set(
    [simulateSettings, serveSettings, replaySettings].flatMap(({ settings }) =>
      Object.values(settings).map(({ env }) => env),
    ),
  ),
];
