import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { pythonEnvironment } from "./python-environment.ts";

const requirements = fileURLToPath(new URL("../../peers/fastapi/requirements.txt", import.meta.url));

/** The Python of the FastAPI peer. @throws Error that names what is missing. */
export function fastapiPython(cache: string, progress: (line: string) => void): Promise<string> {
  return pythonEnvironment({
    name: "the FastAPI peer (--peers node-http omits it)",
    requirements,
    cache,
    progress,
  });
}

/** The versions in the requirements, by name. */
export function fastapiVersions(): Record<string, string> {
  const lines = readFileSync(requirements, "utf8").matchAll(/^([a-z0-9_-]+)==(\S+)$/gm);
  return Object.fromEntries(Array.from(lines, ([, name, version]) => [name!, version!]));
}
