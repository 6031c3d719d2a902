import { type Thread, type ThreadTimes, timesByGroup } from "./thread-times.ts";

/** The thread of Node that runs JavaScript. */
export const nodeMain = "main thread";

/** All threads of a JVM that run Java. */
export const javaThreads = "Java";

/** The thread in which V8 evaluates samples: its time is not the server's. */
const profilerThread = "profiler";

/** Returns the CPU time between two readings of a process of Node, by group of threads, without the profiler's. */
export function nodeThreadTimes(
  pid: number,
  readings: readonly [ThreadTimes, ThreadTimes],
): ReadonlyMap<string, number> {
  const groupOf = ({ id, name }: Thread): string | undefined => {
    if (id === pid) return nodeMain;
    if (/^V8Worker/.test(name)) return "V8's threads";
    if (/^libuv/.test(name)) return "libuv's threads";
    if (/^v8:Prof/.test(name)) return profilerThread;
    return undefined;
  };
  const times = new Map(timesByGroup(readings, { groupOf, rest: "other threads" }));
  times.delete(profilerThread);
  return times;
}

/** Returns the CPU time between two readings of a JVM, by group of threads. */
export function javaThreadTimes(readings: readonly [ThreadTimes, ThreadTimes]): ReadonlyMap<string, number> {
  const groupOf = ({ name }: Thread): string | undefined => {
    if (/^(GC Thread|G1 |VM Thread)/.test(name)) return "garbage collection of the JVM";
    if (/^C[12] Compiler/.test(name)) return "compilation of Java";
    return undefined;
  };
  return timesByGroup(readings, { groupOf, rest: javaThreads });
}
