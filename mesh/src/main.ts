import { runCommand } from "@devicemesh/kit/lifetime/run-command";
import { SettingsError } from "@devicemesh/kit/settings/settings-error";
import { runMesh } from "./run-mesh.ts";
import { meshSettings } from "./settings.ts";
import { readMeshStatus, statusText } from "./status.ts";

async function run(config: Parameters<typeof runMesh>[0], [command]: readonly string[]): Promise<number> {
  if (command === undefined) return await runMesh(config, process);
  if (command !== "status")
    throw new SettingsError(`unknown command ${command}: npm run mesh -- [status] [flags]`);
  process.stdout.write(statusText(config.data, await readMeshStatus(config.data)));
  return 0;
}

await runCommand({ name: "devicemesh", definition: meshSettings, run }, process);
