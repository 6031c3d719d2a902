import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { isRunning, type ProcessIdentity, processIdentity } from "./process-identity.ts";

const pollMs = 50;

/**
 * Runs `work` while no other process holds the lock file. A lock of a dead holder is taken over.
 * Not for concurrent calls in one process: each call must end before the next.
 * @throws Error naming the holder if it holds the lock for longer than `limitMs`; the reason of `signal`, if it aborts
 *   during the wait.
 */
export async function withFileLock<Result>(
  file: string,
  work: () => Promise<Result>,
  options: {
    readonly limitMs: number;
    readonly onWait?: (holderPid: number) => void;
    readonly signal?: AbortSignal | undefined;
  },
): Promise<Result> {
  const deadlineMs = performance.now() + options.limitMs;
  let reported = false;
  mkdirSync(dirname(file), { recursive: true });
  while (!tryLock(file)) {
    const holder = readHolder(file);
    if (holder === undefined || !isRunning(holder)) {
      removeStale(file, holder);
      continue;
    }
    options.signal?.throwIfAborted();
    if (performance.now() > deadlineMs) {
      throw new Error(`process ${holder.pid} holds ${file}; end it, or wait until it is done`);
    }
    if (!reported) options.onWait?.(holder.pid);
    reported = true;
    await delay(pollMs);
  }
  try {
    return await work();
  } finally {
    rmSync(file, { force: true });
  }
}

/** A lock file appears with its holder's identity in it, or not at all. */
function tryLock(file: string): boolean {
  const own = `${file}.${process.pid}`;
  writeFileSync(own, JSON.stringify(processIdentity(process.pid)));
  try {
    linkSync(own, file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    return false;
  } finally {
    rmSync(own, { force: true });
  }
}

function readHolder(file: string): ProcessIdentity | undefined {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as ProcessIdentity;
  } catch {
    return undefined;
  }
}

/** Two processes may find the same dead holder: the moved file is checked again, and put back if it is a new lock. */
function removeStale(file: string, stale: ProcessIdentity | undefined): void {
  const aside = `${file}.stale.${process.pid}`;
  try {
    renameSync(file, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    return;
  }
  const moved = readHolder(aside);
  if (moved !== undefined && JSON.stringify(moved) !== JSON.stringify(stale)) linkSync(aside, file);
  rmSync(aside, { force: true });
}
