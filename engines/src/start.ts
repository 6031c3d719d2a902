import { installEngines, MissingToolsError } from "./install/install-engines.ts";
import { installEnvoy } from "./install/install-envoy.ts";
import { hasArchives, trainArchives } from "./install/train-archives.ts";
import type { InstallConfig } from "./settings.ts";

/**
 * Installs the engines, prints their locations, and resolves to the exit code.
 * @throws Error that names the missing tools, or the failed installation and its cause.
 */
export async function installAll(
  { cache, noFirstStart, onlyEnvoy }: InstallConfig,
  print: (text: string) => void,
): Promise<number> {
  const report = (text: string): void => print(`engines: ${text}\n`);
  const options = { ...(cache === undefined ? {} : { cache }), report };
  if (onlyEnvoy) {
    report(`envoy:  ${await installEnvoy(options)}`);
    return 0;
  }
  const installed = await installEngines(options).catch((error: unknown) => {
    if (!(error instanceof MissingToolsError)) throw error;
    throw new Error(`not installed; this host lacks something\n${error.message}`, { cause: error });
  });
  if (!noFirstStart && !hasArchives(installed)) await trainArchives(installed, report);
  const mongo = installed.mongo();
  report(`kafka:  ${installed.kafka}`);
  report(`spark:  ${installed.spark}`);
  report(`python: ${installed.python}`);
  report(
    `mongo:  ${mongo.command}${mongo.kind === "stand-in" ? " (a stand-in: no mongod is on the PATH)" : ""}`,
  );
  return 0;
}
