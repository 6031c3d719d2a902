import { runCommand } from "@devicemesh/kit/lifetime/run-command";
import { installSettings } from "./settings.ts";
import { installAll } from "./start.ts";

await runCommand(
  {
    name: "engines",
    definition: installSettings,
    run: (config) => installAll(config, (text) => process.stdout.write(text)),
  },
  process,
);
