import { readFileSync } from "node:fs";

/** /proc tells times in ticks of USER_HZ, which is 100 on every Linux that Node runs on. */
const msPerTick = 10;

/**
 * The CPU time that a process has used, in ms: user and system, all its threads (also those that ended) and
 * the children it has waited for. The same for every peer, whatever it is written in.
 * @throws Error where there is no /proc (the bench needs Linux), or no such process.
 */
export function cpuMs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  // The name before the last ")" may hold anything; state, the third field, comes after it.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const ticks = [11, 12, 13, 14].map((place) => Number(fields[place]));
  return ticks.reduce((sum, one) => sum + one, 0) * msPerTick;
}

/** The most memory that the process ever had resident, in MiB. */
export function peakMemoryMib(pid: number): number {
  const kib = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "latin1"))?.[1];
  if (kib === undefined) throw new Error(`the peak memory of process ${pid} is not known`);
  return Number(kib) / 1024;
}
