import { expect, it } from "vitest";
import { type Thread, threadTimes, timesByGroup } from "./thread-times.ts";

const groupOf = ({ name }: Thread): string | undefined => (name.startsWith("GC") ? "collector" : undefined);
const thread = (id: number, name: string, cpuMs: number): Thread => ({ id, name, cpuMs });

it("gives each group the time of its threads, new ones too, and the rest what the process used beside", () => {
  const before = { cpuMs: 1000, threads: [thread(1, "java", 500), thread(2, "GC#0", 100)] };
  const after = {
    cpuMs: 1900,
    threads: [thread(1, "java", 700), thread(2, "GC#0", 350), thread(3, "GC#1", 50)],
  };
  // 400 ms are of threads that have ended.
  expect(Object.fromEntries(timesByGroup([before, after], { groupOf, rest: "java" }))).toEqual({
    collector: 300,
    java: 600,
  });
});

it("reports no negative rest if threads were read later than the process", () => {
  const before = { cpuMs: 0, threads: [] };
  const after = { cpuMs: 100, threads: [thread(2, "GC#0", 110)] };
  expect(timesByGroup([before, after], { groupOf, rest: "java" }).get("java")).toBe(0);
});

it("reads the threads of this process, of which the first has its number", () => {
  const { cpuMs, threads } = threadTimes(process.pid);
  expect(threads.some(({ id }) => id === process.pid)).toBe(true);
  expect(threads.length).toBeGreaterThan(1);
  expect(cpuMs).toBeGreaterThan(0);
});
