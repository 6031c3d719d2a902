import { statfsSync } from "node:fs";
import { dirname } from "node:path";
import { fullBelowBytes } from "../limits.ts";

/**
 * Why an engine that has ended, or does not answer, may have come to that: the disk that holds its files is full.
 * Undefined if there is space, or if that cannot be found out.
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
