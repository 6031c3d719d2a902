import { spawnSync } from "node:child_process";
import { existsSync, globSync, readdirSync, readFileSync, rmdirSync } from "node:fs";
import { basename } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { labNetwork } from "./network.ts";

const killLimitMs = 30_000;
const pollMs = 100;
/** The programs of an engine. */
const engineProgram = /^(?:dockerd|containerd|containerd-shim(?:-runc-v2)?|docker-registry)$/;

/** A process of an engine; its start time distinguishes it from a later one with the same id. */
export type LabProcess = {
  readonly pid: number;
  readonly parent: number;
  readonly startTime: string;
  readonly command: readonly string[];
};

/**
 * Returns the processes of the engines whose files are in a folder, and all their descendants: containers do not name
 * the folder, but each has a shim as its ancestor.
 */
export function processesOf(folder: string): readonly LabProcess[] {
  const processes = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => describe(Number(name)));
  const found = new Set(
    processes
      .filter(({ command }) => engineProgram.test(basename(command[0] ?? "")))
      .filter(({ command }) => command.some((argument) => argument.includes(`${folder}/`)))
      .map(({ pid }) => pid),
  );
  for (let before = -1; before !== found.size; ) {
    before = found.size;
    for (const { pid, parent } of processes) if (found.has(parent)) found.add(pid);
  }
  return processes.filter(({ pid }) => found.has(pid));
}

function describe(pid: number): readonly LabProcess[] {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The name in brackets may contain spaces and brackets. A zombie is dead; its parent reaps it.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    if (fields[0] === "Z" || fields[0] === "X") return [];
    const command = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
    return [{ pid, parent: Number(fields[1]), startTime: fields[19] ?? "", command }];
  } catch {
    return [];
  }
}

function isAlive({ pid, startTime }: LabProcess): boolean {
  return describe(pid).some((now) => now.startTime === startTime);
}

/**
 * Kills the processes that `find` returns until it returns none.
 * @throws Error if a process survives.
 */
export async function killProcesses(find: () => readonly LabProcess[]): Promise<void> {
  const deadlineMs = performance.now() + killLimitMs;
  // A container's process whose shim is dead has no ancestor that names the folder, so it is remembered.
  const known = new Map<number, LabProcess>();
  for (;;) {
    for (const one of find()) known.set(one.pid, one);
    const alive = [...known.values()].filter(isAlive);
    if (alive.length === 0) return;
    for (const { pid } of alive) {
      try {
        process.kill(pid, "SIGKILL");
      } catch {
        // The process has ended meanwhile.
      }
    }
    if (performance.now() > deadlineMs)
      throw new Error(`processes ${alive.map(({ pid }) => pid).join(", ")} do not die`);
    await delay(pollMs);
  }
}

/** The remains of a lab on this machine: processes, mounts, network namespaces and interfaces, cgroups. */
export type Leftovers = {
  readonly processes: readonly LabProcess[];
  readonly mounts: readonly string[];
  readonly namespaces: readonly string[];
  readonly interfaces: readonly string[];
};

/** Finds the remains of a lab in this folder. */
export function findLeftovers(folder: string): Leftovers {
  const ours = new RegExp(`^${labNetwork.bridge}\\d*$`);
  const namesIn = (path: string): readonly string[] =>
    existsSync(path) ? readdirSync(path).filter((name) => ours.test(name)) : [];
  return {
    processes: processesOf(folder),
    mounts: mountsBelow(folder),
    namespaces: namesIn("/var/run/netns"),
    interfaces: namesIn("/sys/class/net"),
  };
}

function mountsBelow(folder: string): readonly string[] {
  return readFileSync("/proc/self/mounts", "utf8")
    .split("\n")
    .map((line) => (line.split(" ")[1] ?? "").replaceAll("\\040", " "))
    .filter((path) => path.startsWith(`${folder}/`));
}

/** Unmounts everything in a folder. */
export function unmountBelow(folder: string): void {
  // A later mount may lie inside an earlier one.
  for (const path of mountsBelow(folder).toReversed()) spawnSync("umount", ["--lazy", path]);
}

/** Removes all remains of a lab in this folder, whether it ended in order or was killed. */
export async function removeLeftovers(folder: string): Promise<void> {
  await killProcesses(() => processesOf(folder));
  unmountBelow(folder);
  const { namespaces, interfaces } = findLeftovers(folder);
  for (const name of namespaces) spawnSync("ip", ["netns", "delete", name]);
  // An interface disappears with its namespace, a little later.
  for (const name of interfaces) spawnSync("ip", ["link", "delete", name]);
  const groups = globSync(["/sys/fs/cgroup/dmlab/**/", "/sys/fs/cgroup/*/dmlab/**/"]);
  for (const group of groups.sort((one, other) => other.length - one.length)) {
    try {
      rmdirSync(group);
    } catch {
      // The kernel still counts its last process; an empty group costs nothing.
    }
  }
}
