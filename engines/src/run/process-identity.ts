import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { killLimitMs } from "../limits.ts";

/** The identity of a process, which no later process with the same id has. */
export type ProcessIdentity = {
  readonly pid: number;
  /** Its start time, in the system's format: boot and ticks on Linux, a date elsewhere. */
  readonly startTime: string;
};

/** Interval of checks for the end of a process that is not our child. */
const pollMs = 20;
const bootIdFile = "/proc/sys/kernel/random/boot_id";

/** Returns the identity of a running process, or undefined if no process has this id. */
export function processIdentity(pid: number): ProcessIdentity | undefined {
  const startTime = existsSync("/proc/self/stat") ? linuxStartTime(pid) : psStartTime(pid);
  return startTime === undefined ? undefined : { pid, startTime };
}

/** Whether exactly this process still runs: not a later one with its id, and not a zombie. */
export function isRunning(process: ProcessIdentity): boolean {
  return processIdentity(process.pid)?.startTime === process.startTime;
}

/** Returns its memory in use (resident) in bytes, or undefined if the process has ended. */
export function residentBytes(pid: number): number | undefined {
  const { status, stdout } = spawnSync("ps", ["-o", "rss=", "-p", String(pid)], { encoding: "utf8" });
  return status === 0 ? Number(stdout.trim()) * 1024 : undefined;
}

/**
 * Sends a signal to a process and its group, unless the process has ended or its id belongs to another one by now. It
 * must lead its group, like a process that `spawn` starts with `detached`.
 */
export function signalGroup(target: ProcessIdentity, signal: NodeJS.Signals): void {
  if (!isRunning(target)) return;
  try {
    process.kill(-target.pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

/** Stops a process gracefully, and kills it after `graceMs`; resolves when it is dead. */
export async function endProcess(target: ProcessIdentity, graceMs: number): Promise<void> {
  if (graceMs > 0) {
    signalGroup(target, "SIGTERM");
    if (await hasEnded(target, graceMs)) return;
  }
  signalGroup(target, "SIGKILL");
  if (!(await hasEnded(target, killLimitMs))) {
    throw new Error(`process ${target.pid} does not die; it may be stuck in the kernel`);
  }
}

async function hasEnded(target: ProcessIdentity, limitMs: number): Promise<boolean> {
  const deadlineMs = performance.now() + limitMs;
  while (isRunning(target)) {
    if (performance.now() > deadlineMs) return false;
    await delay(pollMs);
  }
  return true;
}

function linuxStartTime(pid: number): string | undefined {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  } catch {
    return undefined;
  }
  // The name in brackets may contain spaces and brackets; state is the third field, start time the 22nd.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  if (fields[0] === "Z" || fields[0] === "X") return undefined;
  return `${readFileSync(bootIdFile, "utf8").trim()}:${fields[19]}`;
}

function psStartTime(pid: number): string | undefined {
  const { status, stdout } = spawnSync("ps", ["-o", "stat=,lstart=", "-p", String(pid)], {
    encoding: "utf8",
  });
  const [state = "", ...startTime] = stdout.trim().split(/\s+/);
  return status !== 0 || state.startsWith("Z") ? undefined : startTime.join(" ");
}
