import { runCommand } from "@devicemesh/kit/lifetime/run-command";
import { simulateSettings } from "./settings.ts";
import { runSimulation } from "./start.ts";

await runCommand(
  {
    name: "simulate",
    definition: simulateSettings,
    run: (settings) => runSimulation(settings, (text) => process.stdout.write(text)),
  },
  process,
);
