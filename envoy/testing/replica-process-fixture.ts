import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const program = fileURLToPath(new URL("ingest-replica.ts", import.meta.url));

/**
 * For tests: starts a replica of ingest as a separate process, which writes the readings that it acknowledges to a
 * file.
 */
export async function startReplica(file: string): Promise<{ child: ChildProcess; port: number }> {
  const child = spawn(process.execPath, [program, file], { stdio: ["ignore", "pipe", "inherit"] });
  const [line] = (await once(child.stdout, "data")) as [Buffer];
  return { child, port: Number(/listening on (\d+)/.exec(line.toString())?.[1]) };
}

/** For tests: reads the file of a replica, as `device@seconds`. */
export function stored(file: string): Set<string> {
  if (!existsSync(file)) return new Set();
  return new Set(
    readFileSync(file, "utf8")
      .trim()
      .split("\n")
      .map((identity) => {
        const [device, , time = ""] = identity.split("|");
        return `${device}@${Date.parse(time) / 1000}`;
      }),
  );
}
