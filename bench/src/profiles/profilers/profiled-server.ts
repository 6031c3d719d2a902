import { readFile } from "node:fs/promises";
import { pollUntil } from "../../mesh/poll-until.ts";
import { type ServerProcess, startServerProcess } from "../../servers/server-process.ts";
import { type CpuProfile, cpuProfile } from "./cpu-profile.ts";
import { nodeStacks } from "./node-stacks.ts";
import { type Thread, threadTimes, timesByGroup } from "./thread-times.ts";

/** What the servers of Node have run: units of work, and where their CPU time went. */
export type ProfiledWork = {
  readonly profile: CpuProfile;
  /** Readings, rows or answers. */
  readonly units: number;
};

/** The thread that runs JavaScript. */
const mainThread = "main thread";
/** The thread that evaluates samples: its time is not the server's. */
const profilerThread = "profiler";
const writeLimitMs = 60_000;

/**
 * Starts a server, loads it without a profiler, and then again under one; ends it.
 * @throws Error if the server writes no profile.
 */
export async function profileServer(options: {
  /** The arguments of Node: its flags, the program and its arguments. */
  readonly args: readonly string[];
  /** The root of the server's tree: the paths of files begin there. */
  readonly root: string;
  /** The profile is written to it. */
  readonly file: string;
  /** Loads the server, and resolves to the units that it has done. */
  readonly load: (server: ServerProcess, part: "warm-up" | "profiled") => Promise<number>;
  readonly signal: AbortSignal;
}): Promise<ProfiledWork> {
  const { args, root, file, load, signal } = options;
  const profiler = new URL("./node-profiler.ts", import.meta.url);
  profiler.searchParams.set("file", file);
  await using server = await startServerProcess({
    command: process.execPath,
    args: ["--import", profiler.href, ...args],
  });
  await load(server, "warm-up");
  signal.throwIfAborted();
  process.kill(server.pid, "SIGUSR2");
  const before = threadTimes(server.pid);
  const units = await load(server, "profiled");
  const after = threadTimes(server.pid);
  process.kill(server.pid, "SIGUSR2");
  const text = await pollUntil({
    what: `the server has written ${file}`,
    limitMs: writeLimitMs,
    everyMs: 100,
    signal,
    poll: () => readFile(file, "utf8").catch(() => undefined),
  });
  const groupOf = (thread: Thread): string | undefined => nodeThreads(thread, server.pid);
  const times = new Map(timesByGroup([before, after], { groupOf, rest: "other threads" }));
  times.delete(profilerThread);
  return { profile: cpuProfile(nodeStacks(JSON.parse(text), root), times, mainThread), units };
}

function nodeThreads({ id, name }: Thread, pid: number): string | undefined {
  if (id === pid) return mainThread;
  if (/V8Worker/.test(name)) return "V8's threads";
  if (/libuv/.test(name)) return "libuv's threads";
  if (/^v8:Prof/.test(name)) return profilerThread;
  return undefined;
}
