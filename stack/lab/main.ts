import { mkdirSync } from "node:fs";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { loadSettings } from "@devicemesh/kit/settings/define-settings";
import { runLab } from "./run-lab.ts";
import { labSettings } from "./settings.ts";

const loaded = loadSettings(labSettings, { args: process.argv.slice(2), env: process.env });
if (loaded.kind === "settings") {
  const folder = resolve(loaded.values.folder || join(homedir(), ".cache/devicemesh/stack-lab"));
  mkdirSync(folder, { recursive: true });
  process.exitCode = await runLab({ config: loaded.values, folder, env: process.env });
} else {
  (loaded.kind === "help" ? process.stdout : process.stderr).write(loaded.text);
  process.exitCode = loaded.kind === "help" ? 0 : 2;
}
