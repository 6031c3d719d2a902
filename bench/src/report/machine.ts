import { availableParallelism, cpus, release, totalmem, type } from "node:os";

/** The facts about the machine that a reader needs, without names and paths. */
export type MachineFacts = {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGib: number;
  readonly system: string;
  readonly node: string;
  /** The day of the run, UTC. */
  readonly day: string;
};

/** Returns the facts of this machine; `nowMs` since 1970. */
export function machineFacts(nowMs: number): MachineFacts {
  return {
    cpu: cpus()[0]?.model ?? "unknown",
    cores: availableParallelism(),
    memoryGib: Math.round(totalmem() / 2 ** 30),
    system: `${type()} ${release().split("-")[0]}`,
    node: process.version,
    day: new Date(nowMs).toISOString().slice(0, 10),
  };
}

/** Formats them in one line. */
export function machineText({ cpu, cores, memoryGib, system, node, day }: MachineFacts): string {
  return `${cpu}, ${cores} cores, ${memoryGib} GiB, ${system}, Node ${node}, ${day}`;
}
