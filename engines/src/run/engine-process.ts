import { spawn } from "node:child_process";
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, renameSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import type { EngineSpec } from "../engine-spec.ts";
import { logLinesShownMax, logsKept } from "../limits.ts";
import { type ProcessIdentity, processIdentity } from "./process-identity.ts";

/**
 * Starts an engine's process, detached from ours: in a separate process group, with its output in a file, and running
 * on after this process ends. Creates its folders, rotates its logs and empties its scratch folder.
 * @throws Error if the program cannot be run.
 */
export function spawnEngine(spec: EngineSpec): ProcessIdentity {
  for (const file of new Set([spec.logFile, spec.outputFile])) {
    mkdirSync(dirname(file), { recursive: true });
    rotate(file);
  }
  if (spec.scratchFolder !== undefined) rmSync(spec.scratchFolder, { recursive: true, force: true });
  mkdirSync(spec.workFolder, { recursive: true });
  const output = openSync(spec.outputFile, "a");
  try {
    const child = spawn(spec.command, spec.args, {
      cwd: spec.workFolder,
      detached: true,
      stdio: ["ignore", output, output],
    });
    child.on("error", () => {});
    child.unref();
    if (child.pid === undefined) throw new Error(`${spec.name}: ${spec.command} cannot be run`);
    // A process that ends at once has no start time any more: this identity is of no running process.
    return processIdentity(child.pid) ?? { pid: child.pid, startTime: "" };
  } finally {
    closeSync(output);
  }
}

/** Returns the last lines of an engine's log and output, for an error message. */
export function lastLines(spec: EngineSpec): string {
  const files = [...new Set([spec.outputFile, spec.logFile])].filter((file) => existsSync(file));
  return files
    .map((file) => {
      const lines = readFileSync(file, "utf8").trimEnd().split("\n").slice(-logLinesShownMax);
      return `${file}:\n${lines.join("\n")}`;
    })
    .join("\n");
}

function rotate(file: string): void {
  for (let i = logsKept; i > 0; i -= 1) {
    const older = i === 1 ? file : `${file}.${i - 1}`;
    if (existsSync(older)) renameSync(older, `${file}.${i}`);
  }
}
