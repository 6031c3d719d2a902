import { loadSettings } from "@devicemesh/kit/settings/define-settings";
import { installEngines, MissingToolsError } from "./install/install-engines.ts";
import { installEnvoy } from "./install/install-envoy.ts";
import { hasArchives, trainArchives } from "./install/train-archives.ts";
import { type InstallConfig, installSettings } from "./settings.ts";

const loaded = loadSettings(installSettings, { args: process.argv.slice(2), env: process.env });
if (loaded.kind === "settings") {
  process.exitCode = await install(loaded.values);
} else {
  (loaded.kind === "help" ? process.stdout : process.stderr).write(`${loaded.text}\n`);
  process.exitCode = loaded.kind === "help" ? 0 : 2;
}

async function install({ cache, noFirstStart, onlyEnvoy }: InstallConfig): Promise<number> {
  const say = (text: string): void => {
    process.stdout.write(`engines: ${text}\n`);
  };
  const options = { ...(cache === undefined ? {} : { cache }), say };
  try {
    if (onlyEnvoy) {
      say(`envoy:  ${await installEnvoy(options)}`);
      return 0;
    }
    const installed = await installEngines(options);
    if (!noFirstStart && !hasArchives(installed)) await trainArchives(installed, say);
    const mongo = installed.mongo();
    say(`kafka:  ${installed.kafka}`);
    say(`spark:  ${installed.spark}`);
    say(`python: ${installed.python}`);
    say(
      `mongo:  ${mongo.command}${mongo.kind === "stand-in" ? " (a stand-in: no mongod is on the PATH)" : ""}`,
    );
    return 0;
  } catch (error) {
    const missing = error instanceof MissingToolsError;
    const text = error instanceof Error ? error.message : String(error);
    process.stderr.write(`engines: ${missing ? "not installed; this host lacks something\n" : ""}${text}\n`);
    return 1;
  }
}
