import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { cpuMs } from "../report/process-usage.ts";

/** A program of a peer, with its children. */
export type PeerProcess = AsyncDisposable & {
  /** CPU time of the process and all its children so far, in ms. */
  cpuMs(): number;
  /** Memory of the process and all its children, in MiB: the sum of their proportional set sizes, so that shared pages count once. */
  memoryMib(): number;
};

/** Starts a program and resolves once `ready` does; the program must not end before. */
export async function startPeerProcess(options: {
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  /** Runs the program as this user and group, for programs that refuse to run as root. */
  readonly uid?: number;
  /** Resolves to true when the program answers. */
  readonly ready: () => Promise<boolean>;
  readonly stopSignal?: NodeJS.Signals;
}): Promise<PeerProcess> {
  const child = spawn(options.command, options.args, {
    stdio: ["ignore", "ignore", "pipe"],
    env: options.env ?? process.env,
    ...(options.uid === undefined ? {} : { uid: options.uid, gid: options.uid }),
  });
  let errors = "";
  child.stderr!.on("data", (bytes: Buffer) => {
    errors = (errors + bytes.toString()).slice(-2000);
  });
  const exited = once(child, "exit");
  const end = () => child.kill("SIGKILL");
  process.once("exit", end);
  exited.then(() => process.off("exit", end));
  const deadlineMs = performance.now() + startMs;
  while (!(await options.ready().catch(() => false))) {
    if (child.exitCode !== null || performance.now() > deadlineMs) {
      child.kill("SIGKILL");
      throw new Error(`${options.command} does not answer: ${errors.trim() || "no output"}`);
    }
    await delay(100);
  }
  return {
    ...watchProcess(child.pid!),
    async [Symbol.asyncDispose]() {
      await stop(child, exited, options.stopSignal ?? "SIGTERM");
    },
  };
}

/** The CPU time and the memory of a process and its children. */
export function watchProcess(pid: number): Pick<PeerProcess, "cpuMs" | "memoryMib"> {
  return { cpuMs: () => sumOverTree(pid, cpuMs), memoryMib: () => sumOverTree(pid, proportionalMib) };
}

const startMs = 60_000;
const graceMs = 30_000;

async function stop(child: ChildProcess, exited: Promise<unknown>, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill(signal);
  const kill = setTimeout(() => child.kill("SIGKILL"), graceMs);
  await exited;
  clearTimeout(kill);
}

/** Adds a figure of a process and of its children that still run; those that ended are ignored. */
function sumOverTree(pid: number, figure: (pid: number) => number): number {
  let sum = 0;
  for (const one of [pid, ...childrenOf(pid)]) {
    try {
      sum += figure(one);
    } catch {
      // It ended meanwhile.
    }
  }
  return sum;
}

function childrenOf(pid: number): number[] {
  const children = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((one) => parentOf(one) === pid);
  return children.flatMap((one) => [one, ...childrenOf(one)]);
}

function parentOf(pid: number): number | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "latin1");
    return Number(text.slice(text.lastIndexOf(")") + 2).split(" ")[1]);
  } catch {
    return undefined;
  }
}

function proportionalMib(pid: number): number {
  const kib = /^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, "latin1"))?.[1];
  return Number(kib ?? 0) / 1024;
}

/** Bytes that the files of a folder occupy on disk. Writes them to the disk first: a file system allocates late. */
export async function diskBytes(folder: string): Promise<number> {
  spawnSync("sync", ["-f", folder]);
  let bytes = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile()) continue;
    const found = await stat(join(entry.parentPath, entry.name)).catch(() => undefined);
    bytes += (found?.blocks ?? 0) * 512;
  }
  return bytes;
}
