import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ListenerName } from "../engine-names.ts";
import type { EngineSpec } from "../engine-spec.ts";
import { stateLockLimitMs } from "../limits.ts";
import { withFileLock } from "./file-lock.ts";
import type { ProcessIdentity } from "./process-identity.ts";

/** An engine of a folder, and its process, if it was started and this program has not ended it. */
export type EngineState = {
  readonly spec: EngineSpec;
  readonly process?: ProcessIdentity;
  readonly startedAtMs?: number;
};

/**
 * The state of a folder's engines. It is written to disk before anything else happens to a process, so that the next
 * process finds the running engines, even if the one that started them was killed.
 */
export type EnginesState = {
  readonly version: typeof stateVersion;
  /** The process that started the engines and will stop them. */
  readonly owner?: ProcessIdentity;
  /** Number of brokers that the data in the folder belongs to. */
  readonly brokers?: number;
  readonly clusterId?: string;
  /** Ports of earlier starts, which are reused if they are free. */
  readonly ports: Readonly<Partial<Record<ListenerName, number>>>;
  readonly engines: readonly EngineState[];
};

/** Version of the format; a file of another version is rejected. */
export const stateVersion = 1;

/** The state of a folder in which no engine has run. */
export const noEngines: EnginesState = { version: stateVersion, ports: {}, engines: [] };

const stateFile = (folder: string): string => join(folder, "engines.json");

/** Reads the state of a folder's engines. @throws Error for a file of another version. */
export function readState(folder: string): EnginesState {
  const file = stateFile(folder);
  if (!existsSync(file)) return noEngines;
  const state = JSON.parse(readFileSync(file, "utf8")) as EnginesState;
  if (state.version !== stateVersion) {
    throw new Error(
      `${file} was written by another version: end its engines with that, then remove the folder`,
    );
  }
  return state;
}

/** Writes the state atomically. */
export function writeState(folder: string, state: EnginesState): void {
  const file = stateFile(folder);
  const temporary = `${file}.${process.pid}`;
  writeFileSync(temporary, `${JSON.stringify(state, undefined, 2)}\n`);
  renameSync(temporary, file);
}

/** Runs `work` while no other process starts, kills or stops engines of this folder. */
export function withStateLock<Result>(folder: string, work: () => Promise<Result>): Promise<Result> {
  return withFileLock(join(folder, "engines.lock"), work, { limitMs: stateLockLimitMs });
}

/** Returns the same state with one engine's process changed. */
export function withProcess(
  state: EnginesState,
  name: string,
  run: Pick<EngineState, "process" | "startedAtMs">,
): EnginesState {
  return {
    ...state,
    engines: state.engines.map((engine) =>
      engine.spec.name === name ? { spec: engine.spec, ...run } : engine,
    ),
  };
}
