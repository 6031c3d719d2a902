import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";

/**
 * The Python of a peer: a venv in the cache, made from pinned requirements at the first use (about a minute) and
 * used again as long as they are the same.
 * @throws Error that names what is missing.
 */
export async function pythonEnvironment(options: {
  /** The peer, as progress and errors call it. */
  readonly name: string;
  /** The file of requirements. */
  readonly requirements: string;
  readonly cache: string;
  readonly progress: (line: string) => void;
}): Promise<string> {
  const { name, requirements, cache, progress } = options;
  const hash = createHash("sha256").update(readFileSync(requirements)).digest("hex").slice(0, 12);
  const folder = join(cache, `python-${hash}`);
  const python = join(folder, "bin", "python");
  const complete = join(folder, "complete");
  if (existsSync(complete)) return python;
  await rm(folder, { recursive: true, force: true });
  await mkdir(cache, { recursive: true });
  progress(`installing ${name} in a Python venv (once, about a minute) ...`);
  await run(systemPython(name), ["-m", "venv", folder]);
  await run(python, ["-m", "pip", "install", "--disable-pip-version-check", "--quiet", "-r", requirements]);
  writeFileSync(complete, "");
  progress("installed");
  return python;
}

/** pydantic 1.10 has wheels up to 3.13; 3.11 is what the peers were tried on. */
function systemPython(name: string): string {
  const found = ["python3.11", "python3.12", "python3.10", "python3"].find(
    (command) => spawnSync(command, ["-c", "import venv, ensurepip"], { stdio: "ignore" }).status === 0,
  );
  if (!found) throw new Error(`${name} needs Python 3.10 to 3.13 with venv`);
  return found;
}

/** Runs a program to its end. @throws Error if its exit code is not 0. */
export async function run(command: string, args: readonly string[]): Promise<void> {
  const child = spawn(command, args, { stdio: ["ignore", "inherit", "inherit"] });
  const [code] = await once(child, "exit");
  if (code !== 0) {
    throw new Error(`${args.slice(0, 3).join(" ")} failed with code ${code}; its output is above`);
  }
}
