import { runCommand } from "@devicemesh/kit/lifetime/run-command";
import { runEmbedded } from "./run.ts";
import { embeddedSettings } from "./settings.ts";

await runCommand({ name: "devicemesh", definition: embeddedSettings, run: runEmbedded }, process);
// Remaining handles (timers of libraries) must not keep a closed mesh alive.
process.exit();
