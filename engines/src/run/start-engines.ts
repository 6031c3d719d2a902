import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { closeOnce } from "@devicemesh/kit/lifetime/close-once";
import { brokerCount, checkParts, type EngineName, type EnginePart, type Ports } from "../engine-names.ts";
import type { EngineSpec } from "../engine-spec.ts";
import { type ArchiveUse, archiveFile } from "../install/class-archives.ts";
import { type InstalledEngines, installEngines } from "../install/install-engines.ts";
import { orphanGraceMs } from "../limits.ts";
import { choosePorts } from "../plans/choose-ports.ts";
import type { EnvoyOptions } from "../plans/envoy-plan.ts";
import { newClusterId } from "../plans/kafka-plan.ts";
import { type EngineAddresses, planEngines, prepareEngines } from "../plans/plan-engines.ts";
import { endEngines, killEngine, startEngine } from "./engine-control.ts";
import { type EnginesState, readState, withStateLock, writeState } from "./engines-state.ts";
import { type EngineStatus, readEnginesStatus } from "./engines-status.ts";
import { isRunning, processIdentity, signalGroup } from "./process-identity.ts";

export type EnginesOptions = {
  /** The folder of data, configuration, logs and state; existing data is used. Created if it does not exist. */
  readonly folder: string;
  readonly parts: readonly EnginePart[];
  /** Fixed ports; the others are those of the last start, or free ones. */
  readonly ports?: Partial<Ports>;
  /** A running MongoDB; then none is started. */
  readonly mongodbUrl?: string;
  /** Needed for `envoy`. */
  readonly envoy?: EnvoyOptions;
  /** The folder of the engines' programs, shared by all checkouts. */
  readonly cache?: string;
  /** Deletes everything in the folder first, for tests. */
  readonly fresh?: boolean;
  /** If it aborts during the start, stops the started engines and rejects. */
  readonly signal?: AbortSignal;
  /** Receives progress, for users. */
  readonly onProgress?: (progress: EnginesProgress) => void;
};

/** Progress; `engine` is missing if it concerns all of them, `ready` is true once the engine answers. */
export type EnginesProgress = {
  readonly engine?: EngineName;
  readonly text: string;
  readonly ready?: boolean;
};

/** Operations on the engines of a folder, for any process. */
export type EngineControl = {
  /** Absolute. */
  readonly folder: string;
  /**
   * Kills an engine with SIGKILL and resolves when it is dead.
   * @throws Error if the folder has no engine of this name.
   */
  kill(name: EngineName): Promise<void>;
  /**
   * Starts an engine that was killed or died, on the same ports with the same data; resolves when it is ready.
   * @throws Error with the last lines of its log.
   */
  start(name: EngineName): Promise<void>;
  status(): Promise<EngineStatus[]>;
};

/** Running engines. */
export type Engines = EngineControl &
  AsyncDisposable & {
    readonly addresses: EngineAddresses;
    /** Stops all engines in order and resolves when they are dead. Stopping again has no effect. */
    stop(): Promise<void>;
  };

/** Another process runs the engines of this folder. The message names both. */
export class FolderInUseError extends Error {
  constructor(folder: string, processId: number) {
    super(`process ${processId} runs the engines of ${folder}: end it, or choose another folder`);
    this.name = "FolderInUseError";
  }
}

/**
 * Starts engines on 127.0.0.1 and resolves when all answer. Installs them if needed. First ends engines that a killed
 * launcher left running in the same folder.
 * @throws Error if another process runs engines in this folder, if a given port is in use, or if one does not
 * become ready: then all are stopped again.
 */
export async function startEngines(options: EnginesOptions): Promise<Engines> {
  const installed = await installEngines({
    ...(options.cache === undefined ? {} : { cache: options.cache }),
    report: (text) => options.onProgress?.({ text }),
    signal: options.signal,
  });
  options.signal?.throwIfAborted();
  return startInstalledEngines(options, installed, { kind: "use", file: archiveFile(installed) });
}

/** The part of `startEngines` after the installation. */
export async function startInstalledEngines(
  options: EnginesOptions,
  installed: InstalledEngines,
  archives: ArchiveUse,
): Promise<Engines> {
  const { parts, signal, onProgress } = options;
  checkParts(parts);
  if (parts.includes("envoy") && !options.envoy) throw new Error("envoy needs the option envoy");
  const folder = resolve(options.folder);
  mkdirSync(folder, { recursive: true });
  await takeOver(folder, options);
  const stop = stopper(folder);
  try {
    const { specs, addresses } = await withStateLock(folder, async () => {
      const state = readState(folder);
      const ports = await choosePorts({ given: options.ports ?? {}, remembered: state.ports });
      const planned = planEngines({ folder, ports, options, installed, archives });
      const clusterId = state.clusterId ?? newClusterId();
      await prepareEngines(planned, clusterId);
      writeState(folder, {
        ...state,
        ...(brokerCount(parts) > 0 ? { clusterId, brokers: brokerCount(parts) } : {}),
        ports,
        engines: planned.specs.map((spec) => ({ spec })),
      });
      return planned;
    });
    await startAll(folder, specs, signal, onProgress);
    return {
      ...engineControl(folder),
      addresses,
      stop,
      [Symbol.asyncDispose]: stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Kills the engines that this process runs in a folder, without waiting for their end: for when it must end now. */
export function killEnginesNow(folder: string): void {
  const { owner, engines } = readState(resolve(folder));
  if (owner?.pid !== process.pid) return;
  for (const { process: running } of engines) {
    if (running !== undefined) signalGroup(running, "SIGKILL");
  }
}

/** Returns the engines that another process has started in a folder, to inspect, kill and start them. */
export function engineControl(folder: string): EngineControl {
  const absolute = resolve(folder);
  return {
    folder: absolute,
    kill: (name) => killEngine(absolute, name),
    start: (name) => startEngine(absolute, name),
    status: () => readEnginesStatus(absolute),
  };
}

/** Takes over the folder: rejects if another process owns it, and ends the engines of a dead owner. */
async function takeOver(folder: string, options: EnginesOptions): Promise<void> {
  await withStateLock(folder, async () => {
    const state = readState(folder);
    if (state.owner !== undefined && isRunning(state.owner)) {
      throw new FolderInUseError(folder, state.owner.pid);
    }
    await endEngines(folder, {
      graceLimitMs: orphanGraceMs,
      onEnd: (name) => options.onProgress?.({ engine: name, text: "ending what an earlier run left" }),
    });
    if (options.fresh) emptyFolder(folder);
    const { brokers: _brokers, clusterId: _clusterId, ...withoutData } = readState(folder);
    const kept: EnginesState = options.fresh ? withoutData : readState(folder);
    const brokers = brokerCount(options.parts);
    if (kept.brokers !== undefined && brokers > 0 && kept.brokers !== brokers) {
      throw new Error(
        `the data in ${folder} is that of ${kept.brokers} broker(s), not of ${brokers}: start as many, or choose another folder`,
      );
    }
    const owner = processIdentity(process.pid);
    if (owner === undefined) throw new Error("this system does not report the start time of a process");
    writeState(folder, { ...kept, owner });
  });
}

/** Deletes everything except the state of the processes. */
function emptyFolder(folder: string): void {
  for (const name of readdirSync(folder)) {
    if (!name.startsWith("engines.")) rmSync(join(folder, name), { recursive: true, force: true });
  }
}

function stopper(folder: string): () => Promise<void> {
  return closeOnce(() =>
    withStateLock(folder, async () => {
      await endEngines(folder);
      const { owner: _owner, ...state } = readState(folder);
      writeState(folder, state);
    }),
  );
}

/** Starts each engine as soon as its dependencies are ready; reports the first failure after all starts have ended. */
async function startAll(
  folder: string,
  specs: readonly EngineSpec[],
  signal: AbortSignal | undefined,
  onProgress: EnginesOptions["onProgress"],
): Promise<void> {
  const failed = new AbortController();
  const check = (): void => {
    signal?.throwIfAborted();
    failed.signal.throwIfAborted();
  };
  const starts = new Map<EngineName, Promise<void>>();
  for (const { name, needs, address } of specs) {
    const start = async (): Promise<void> => {
      await Promise.all(needs.map((need) => starts.get(need)));
      check();
      const startMs = performance.now();
      onProgress?.({ engine: name, text: "starting" });
      await startEngine(folder, name, check);
      const seconds = ((performance.now() - startMs) / 1000).toFixed(1);
      onProgress?.({ engine: name, text: `ready at ${address} (${seconds} s)`, ready: true });
    };
    starts.set(
      name,
      start().catch((error: unknown) => {
        failed.abort(error);
        throw error;
      }),
    );
  }
  const outcomes = await Promise.allSettled(starts.values());
  if (outcomes.some(({ status }) => status === "rejected")) throw failed.signal.reason;
}
