import { readFileSync } from "node:fs";

/** /proc has times in ticks of USER_HZ, which is 100 on every Linux that Node runs on. */
const msPerTick = 10;

/**
 * Returns the CPU time of a process, in ms: user and system, all its threads (including ended ones) and the children
 * that it has waited for. The same for every peer, whatever language it is written in.
 * @throws Error if there is no /proc (the bench needs Linux), or no such process.
 */
export function cpuMs(pid: number): number {
  return sumOfTicks(readFileSync(`/proc/${pid}/stat`, "latin1"), [11, 12, 13, 14]);
}

/** Returns the user and system time in the `stat` of a process or a thread, without children, in ms. */
export function ownCpuMs(stat: string): number {
  return sumOfTicks(stat, [11, 12]);
}

function sumOfTicks(stat: string, places: readonly number[]): number {
  // The name before the last ")" may contain anything; state, the third field, follows it.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return places.reduce((sum, place) => sum + Number(fields[place]), 0) * msPerTick;
}

/** Returns the peak resident memory of the process, in MiB. */
export function peakMemoryMib(pid: number): number {
  const kib = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "latin1"))?.[1];
  if (kib === undefined) throw new Error(`the peak memory of process ${pid} is not known`);
  return Number(kib) / 1024;
}
