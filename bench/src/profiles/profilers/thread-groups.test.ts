import { expect, it } from "vitest";
import { javaThreadTimes, nodeThreadTimes } from "./thread-groups.ts";
import type { ThreadTimes } from "./thread-times.ts";

function readingsOf(names: readonly string[]): readonly [ThreadTimes, ThreadTimes] {
  // Thread number 100 + i uses 2^i ms.
  const threads = names.map((name, index) => ({ id: 100 + index, name, cpuMs: 2 ** index }));
  return [
    { cpuMs: 0, threads: [] },
    { cpuMs: 2 ** names.length - 1, threads },
  ];
}

it("groups the threads of Node by what they do, and leaves out the profiler's", () => {
  const names = ["MainThread", "V8Worker", "V8Worker", "libuv-worker", "v8:ProfEvntProc", "SignalInspector"];
  expect(Object.fromEntries(nodeThreadTimes(100, readingsOf(names)))).toEqual({
    "main thread": 1,
    "V8's threads": 2 + 4,
    "libuv's threads": 8,
    "other threads": 32,
  });
});

it("separates the collector and the compiler of a JVM from Java", () => {
  const names = [
    ...["java", "GC Thread#0", "G1 Conc#0", "G1 Service", "VM Thread"],
    ...["C2 CompilerThre", "C1 CompilerThre", "Executor task l"],
  ];
  expect(Object.fromEntries(javaThreadTimes(readingsOf(names)))).toEqual({
    "garbage collection of the JVM": 2 + 4 + 8 + 16,
    "compilation of Java": 32 + 64,
    Java: 1 + 128,
  });
});
