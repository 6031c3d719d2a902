import { resolve } from "node:path";
import type { EngineName } from "../engine-names.ts";
import { askProbe } from "../readiness/readiness.ts";
import { diskProblem } from "./disk-problem.ts";
import { type EngineState, readState } from "./engines-state.ts";
import { isRunning, residentBytes } from "./process-identity.ts";

/** How an engine is. */
export type EngineStatus = {
  readonly name: EngineName;
  /** `ready`: it answers; `unready`: it runs and does not; `dead`: it ended without being stopped. */
  readonly state: "ready" | "unready" | "dead" | "stopped";
  /** What is wrong while it is unready, or why it is dead if that is known. */
  readonly reason?: string;
  readonly address: string;
  readonly processId?: number;
  /** Since when it runs, in ms of the epoch. */
  readonly startedAtMs?: number;
  /** Memory in use (resident). */
  readonly memoryBytes?: number;
  readonly logFile: string;
};

/** How the engines of a folder are, by whichever process they were started; empty where none ever were. Asks each one that runs. */
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
