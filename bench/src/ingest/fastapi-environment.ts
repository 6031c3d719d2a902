import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const requirements = fileURLToPath(new URL("../../peers/fastapi/requirements.txt", import.meta.url));

/**
 * The Python of the FastAPI peer: a venv in the cache, made from its pinned requirements at the first use
 * (about a minute) and used again as long as they are the same.
 * @throws Error that says what is missing.
 */
export async function fastapiPython(cache: string, progress: (line: string) => void): Promise<string> {
  const hash = createHash("sha256").update(readFileSync(requirements)).digest("hex").slice(0, 12);
  const folder = join(cache, `fastapi-${hash}`);
  const python = join(folder, "bin", "python");
  const complete = join(folder, "complete");
  if (existsSync(complete)) return python;
  await rm(folder, { recursive: true, force: true });
  await mkdir(cache, { recursive: true });
  progress("installing the FastAPI peer in a Python venv (once, about a minute) ...");
  await run(systemPython(), ["-m", "venv", folder]);
  await run(python, ["-m", "pip", "install", "--disable-pip-version-check", "--quiet", "-r", requirements]);
  writeFileSync(complete, "");
  progress("installed");
  return python;
}

/** The versions in the requirements, by name. */
export function fastapiVersions(): Record<string, string> {
  const lines = readFileSync(requirements, "utf8").matchAll(/^([a-z0-9_-]+)==(\S+)$/gm);
  return Object.fromEntries(Array.from(lines, ([, name, version]) => [name!, version!]));
}

/** pydantic 1.10 has wheels up to 3.13; 3.11 is what the peer was tried on. */
function systemPython(): string {
  const found = ["python3.11", "python3.12", "python3.10", "python3"].find(
    (name) => spawnSync(name, ["-c", "import venv, ensurepip"], { stdio: "ignore" }).status === 0,
  );
  if (!found)
    throw new Error(
      "the FastAPI peer needs Python 3.10 to 3.13 with venv; or leave it out: --peers node-http",
    );
  return found;
}

async function run(command: string, args: readonly string[]): Promise<void> {
  const child = spawn(command, args, { stdio: ["ignore", "inherit", "inherit"] });
  const [code] = await once(child, "exit");
  if (code !== 0)
    throw new Error(`${args.slice(0, 3).join(" ")} failed with code ${code}; its output is above`);
}
