import { type EngineName, engineNames } from "../engine-names.ts";
import type { EngineSpec } from "../engine-spec.ts";
import { untilReady } from "../readiness/readiness.ts";
import { lastLines, spawnEngine } from "./engine-process.ts";
import {
  type EngineState,
  type EnginesState,
  readState,
  withProcess,
  withStateLock,
  writeState,
} from "./engines-state.ts";
import { endProcess, isRunning } from "./process-identity.ts";

/**
 * Starts an engine of a folder, unless it is running, and resolves when it is ready.
 * @throws Error with the last lines of its log if it ends or is not ready in time; the error of `check`.
 */
export async function startEngine(
  folder: string,
  name: EngineName,
  check: () => void = () => {},
): Promise<void> {
  const engine = await withStateLock(folder, async () => {
    const state = readState(folder);
    const found = engineOf(state, folder, name);
    if (found.process !== undefined && isRunning(found.process)) return found;
    const run = { process: spawnEngine(found.spec), startedAtMs: Date.now() };
    writeState(folder, withProcess(state, name, run));
    return { spec: found.spec, ...run };
  });
  const { spec, process } = engine;
  try {
    await untilReady(spec.probe, {
      limitMs: spec.readyLimitMs,
      check: () => {
        check();
        if (process === undefined || !isRunning(process)) throw new Error("its process has ended");
      },
    });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`${name}: ${reason}\n${lastLines(spec)}`, { cause: error });
  }
}

/**
 * Kills an engine and its child processes with SIGKILL, and resolves when it is dead. Has no effect on a dead engine.
 * @throws Error if the folder has no engine of this name.
 */
export async function killEngine(folder: string, name: EngineName): Promise<void> {
  await withStateLock(folder, async () => {
    const state = readState(folder);
    const { process } = engineOf(state, folder, name);
    if (process !== undefined) await endProcess(process, 0);
    writeState(folder, withProcess(state, name, {}));
  });
}

/**
 * Stops all running engines of a folder, each after those that depend on it, and resolves when they are dead.
 * `graceLimitMs` limits the graceful stop of each.
 */
export async function endEngines(
  folder: string,
  options: { readonly graceLimitMs?: number; readonly onEnd?: (name: EngineName) => void } = {},
): Promise<void> {
  const { graceLimitMs = Number.POSITIVE_INFINITY, onEnd } = options;
  for (const step of stopSteps) {
    const engines = readState(folder).engines.filter(({ spec }) => step.includes(spec.name));
    await Promise.all(
      engines.map(async ({ spec, process }) => {
        if (process === undefined) return;
        if (isRunning(process)) onEnd?.(spec.name);
        await endProcess(process, Math.min(spec.stopGraceMs, graceLimitMs));
      }),
    );
    const ended = engines.reduce<EnginesState>(
      (state, { spec }) => withProcess(state, spec.name, {}),
      readState(folder),
    );
    if (engines.length > 0) writeState(folder, ended);
  }
}

/** Brokers stop together: a broker that is left alone waits for the others. */
const stopSteps: readonly (readonly EngineName[])[] = [
  engineNames.filter((name) => name === "envoy"),
  ["spark"],
  engineNames.filter((name) => name.startsWith("spark-")),
  ["connect"],
  engineNames.filter((name) => name.startsWith("kafka-")),
  ["mongo"],
];

function engineOf(state: EnginesState, folder: string, name: string): EngineState {
  const found = state.engines.find(({ spec }) => spec.name === name);
  if (!found) {
    const known = state.engines.map(({ spec }: { spec: EngineSpec }) => spec.name).join(", ") || "none";
    throw new Error(`${folder} has no engine ${name}; it has ${known}`);
  }
  return found;
}
