import type { EngineName } from "./engine-names.ts";
import type { Probe } from "./readiness/readiness.ts";

/** How one engine is run. Plain data: it is kept in the state file, so that any process can start it again. */
export type EngineSpec = {
  readonly name: EngineName;
  /** The engines that must be ready before this one is started. */
  readonly needs: readonly EngineName[];
  readonly command: string;
  readonly args: readonly string[];
  /** Where it runs; also where it leaves what it cannot be told to put elsewhere. */
  readonly workFolder: string;
  readonly probe: Probe;
  /** Where it serves, as its clients write it. */
  readonly address: string;
  /** Its own log, and what it prints before it has one. */
  readonly logFile: string;
  readonly outputFile: string;
  /** Where it leaves what is of no use to the next start; emptied before each. */
  readonly scratchFolder?: string;
  /** How long it may take to be ready, on a slow machine, in ms. */
  readonly readyLimitMs: number;
  /** How long it may take to end by itself, in ms. */
  readonly stopGraceMs: number;
};

/** Where an engine's files are in the folder of its mesh. */
export function engineFiles(
  folder: string,
  name: string,
): { readonly data: string; readonly config: string; readonly log: string; readonly output: string } {
  return {
    data: `${folder}/data/${name}`,
    config: `${folder}/config/${name}`,
    log: `${folder}/logs/${name}.log`,
    output: `${folder}/logs/${name}.out`,
  };
}
