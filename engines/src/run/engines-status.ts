import { resolve } from "node:path";
import type { EngineName } from "../engine-names.ts";
import { askProbe } from "../readiness/readiness.ts";
import { diskProblem } from "./disk-problem.ts";
import { type EngineState, readState } from "./engines-state.ts";
import { isRunning, residentBytes } from "./process-identity.ts";

/** The status of an engine. */
export type EngineStatus = {
  readonly name: EngineName;
  /** `ready`: it answers; `unready`: it runs and does not answer; `dead`: it ended without being stopped. */
  readonly state: "ready" | "unready" | "dead" | "stopped";
  /** The problem if it is unready, or the cause if it is dead and the cause is known. */
  readonly reason?: string;
  readonly address: string;
  readonly processId?: number;
  /** Start of its process, in ms since 1970. */
  readonly startedAtMs?: number;
  /** Memory in use (resident). */
  readonly memoryBytes?: number;
  readonly logFile: string;
};

/**
 * Returns the status of a folder's engines, whichever process started them; empty if there were none. Probes each
 * running one.
 */
export function readEnginesStatus(folder: string): Promise<EngineStatus[]> {
  return Promise.all(readState(resolve(folder)).engines.map(statusOf));
}

async function statusOf({ spec, process, startedAtMs }: EngineState): Promise<EngineStatus> {
  const { name, address, logFile } = spec;
  if (process === undefined) return { name, state: "stopped", address, logFile };
  if (!isRunning(process)) {
    const problem = diskProblem(logFile);
    return { name, state: "dead", ...(problem && { reason: problem }), address, logFile };
  }
  const unready = await askProbe(spec.probe);
  const reason = unready === undefined ? undefined : (diskProblem(logFile) ?? unready);
  const memoryBytes = residentBytes(process.pid);
  return {
    name,
    state: reason === undefined ? "ready" : "unready",
    ...(reason === undefined ? {} : { reason }),
    address,
    processId: process.pid,
    ...(startedAtMs === undefined ? {} : { startedAtMs }),
    ...(memoryBytes === undefined ? {} : { memoryBytes }),
    logFile,
  };
}
