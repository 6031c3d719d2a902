/** A disk of an engine. */
export type Disk = {
  /** As in "the disk of broker 1". */
  readonly name: string;
  readonly totalBytes: number;
  readonly freeBytes: number;
  /** Whether the engine has given it up after a failed write. */
  readonly hasFailed: boolean;
};

/** Watches the disks of the engines. */
export type DiskWatch = {
  /** Reads the disks if that is due; `now` is in ms of any monotonic clock. Rejects as the read does. */
  observe(now: number, signal: AbortSignal): Promise<void>;
  /** The problems as text. That of a disk which cannot be read any more stays: its engine may have stopped over it. */
  readonly standing: readonly string[];
};

/** Below this free space, or this share of a smaller disk, an engine is about to stop. */
const freeBytesMin = 1024 ** 3;
const freeShareMin = 0.1;

/** Makes the watch; it calls `readDisks` at most once in each interval. */
export function createDiskWatch(options: {
  readDisks(signal: AbortSignal): Promise<readonly Disk[]>;
  readonly everyMs: number;
}): DiskWatch {
  const problems = new Map<string, string>();
  let dueMs = Number.NEGATIVE_INFINITY;
  return {
    get standing() {
      return [...problems.values()];
    },
    async observe(now, signal) {
      if (now < dueMs) return;
      for (const disk of await options.readDisks(signal)) {
        const problem = problemOf(disk);
        if (problem === undefined) problems.delete(disk.name);
        else problems.set(disk.name, problem);
      }
      dueMs = now + options.everyMs;
    },
  };
}

function problemOf({ name, totalBytes, freeBytes, hasFailed }: Disk): string | undefined {
  if (hasFailed) {
    return `a log directory ${name} has failed: free or replace its disk, then restart the broker`;
  }
  if (totalBytes <= 0 || freeBytes >= Math.min(freeBytesMin, totalBytes * freeShareMin)) return undefined;
  return `the disk ${name} is almost full: ${mib(freeBytes)} of ${mib(totalBytes)} free; add space or shorten the retention before writes fail`;
}

function mib(bytes: number): string {
  return `${(bytes / 1024 ** 2).toFixed(1)} MiB`;
}
