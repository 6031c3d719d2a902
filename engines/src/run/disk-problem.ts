import { statfsSync } from "node:fs";
import { dirname } from "node:path";
import { fullBelowBytes } from "../limits.ts";

/**
 * Returns a possible cause of an engine's end or silence: the disk that contains its files is full. Undefined if it has
 * space, or if that is unknown.
 */
export function diskProblem(logFile: string, freeBytesOf = freeBytes): string | undefined {
  const folder = dirname(logFile);
  const free = freeBytesOf(folder);
  if (free === undefined || free >= fullBelowBytes) return undefined;
  return `its disk is full (${Math.floor(free / 1024 / 1024)} MiB free at ${folder}): free disk space`;
}

function freeBytes(folder: string): number | undefined {
  try {
    const { bavail, bsize } = statfsSync(folder);
    return bavail * bsize;
  } catch {
    return undefined;
  }
}
