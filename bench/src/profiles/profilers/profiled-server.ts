import { readFile } from "node:fs/promises";
import { pollUntil } from "../../mesh/poll-until.ts";
import { type ServerProcess, startServerProcess } from "../../servers/server-process.ts";
import { type CpuProfile, cpuProfile } from "./cpu-profile.ts";
import { nodeStacks } from "./node-stacks.ts";
import { nodeMain, nodeThreadTimes } from "./thread-groups.ts";
import { threadTimes } from "./thread-times.ts";

/** Work of a process, and where its CPU time went. */
export type ProfiledWork = {
  readonly profile: CpuProfile;
  /** Readings, rows or answers. */
  readonly units: number;
};

const writeLimitMs = 60_000;

/**
 * Starts a server under a profiler, loads it to warm it up, and loads it again, which is what counts; ends it.
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
  const times = nodeThreadTimes(server.pid, [before, after]);
  return { profile: cpuProfile(nodeStacks(JSON.parse(text), root), times, nodeMain), units };
}
