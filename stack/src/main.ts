import { runCommand } from "@devicemesh/kit/lifetime/run-command";
import { stackSettings } from "./settings.ts";
import { startStack } from "./start.ts";

await runCommand(
  {
    name: "stack",
    definition: stackSettings,
    run: (config, positionals) => startStack(config, positionals, process),
  },
  process,
);
