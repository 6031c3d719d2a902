import type { EngineName } from "./engine-names.ts";
import type { Probe } from "./readiness/readiness.ts";

/** How one engine is run. Plain data: it is stored in the state file, so that any process can restart the engine. */
export type EngineSpec = {
  readonly name: EngineName;
  /** The engines that must be ready before this one starts. */
  readonly needs: readonly EngineName[];
  readonly command: string;
  readonly args: readonly string[];
  /** Its working directory, which also receives files whose location cannot be configured. */
  readonly workFolder: string;
  readonly probe: Probe;
  /** Its address, as its clients write it. */
  readonly address: string;
  /** Its own log, and its output before the log is open. */
  readonly logFile: string;
  readonly outputFile: string;
  /** Its scratch files, which the next start does not need; emptied before each start. */
  readonly scratchFolder?: string;
  /** Time limit until it is ready, on a slow machine, in ms. */
  readonly readyLimitMs: number;
  /** Time limit for a graceful stop, in ms. */
  readonly stopGraceMs: number;
};

/** Returns the folders of an engine in the folder of its mesh. */
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
