import { readdirSync, readFileSync } from "node:fs";
import { cpuMs, ownCpuMs } from "../../report/process-usage.ts";

/** A thread of a process. */
export type Thread = {
  /** In Linux; that of the first thread is the number of the process. */
  readonly id: number;
  /** At most 15 characters. */
  readonly name: string;
  /** User and system time. */
  readonly cpuMs: number;
};

/** CPU times of a process. */
export type ThreadTimes = {
  /** All threads, including ended ones. */
  readonly cpuMs: number;
  readonly threads: readonly Thread[];
};

/** Reads the times of a process and its threads. @throws Error if there is no such process. */
export function threadTimes(pid: number): ThreadTimes {
  const threads = readdirSync(`/proc/${pid}/task`).flatMap((id): Thread[] => {
    try {
      const stat = readFileSync(`/proc/${pid}/task/${id}/stat`, "latin1");
      const name = stat.slice(stat.indexOf("(") + 1, stat.lastIndexOf(")"));
      return [{ id: Number(id), name, cpuMs: ownCpuMs(stat) }];
    } catch {
      // The thread has ended since.
      return [];
    }
  });
  return { cpuMs: cpuMs(pid), threads };
}

/**
 * Returns the CPU time between two readings by group of threads, in ms. What the groups do not account for, also that of
 * threads that have ended, belongs to the group `rest`.
 */
export function timesByGroup(
  [before, after]: readonly [ThreadTimes, ThreadTimes],
  groups: { readonly groupOf: (thread: Thread) => string | undefined; readonly rest: string },
): ReadonlyMap<string, number> {
  const began = new Map(before.threads.map((thread) => [thread.id, thread.cpuMs]));
  const times = new Map<string, number>();
  let rest = after.cpuMs - before.cpuMs;
  for (const thread of after.threads) {
    const group = groups.groupOf(thread);
    if (group === undefined) continue;
    const usedMs = thread.cpuMs - (began.get(thread.id) ?? 0);
    times.set(group, (times.get(group) ?? 0) + usedMs);
    rest -= usedMs;
  }
  return times.set(groups.rest, Math.max(0, rest + (times.get(groups.rest) ?? 0)));
}
