import type { Stack } from "./stacks.ts";
import { weightOf } from "./stacks.ts";

/** Where the CPU time of a process went. */
export type CpuProfile = {
  /** Stacks of all threads, weighted with CPU time in ms; threads that are not sampled have one frame, their group. */
  readonly stacks: readonly Stack[];
  /** User and system time of all threads, in ms. */
  readonly cpuMs: number;
};

/**
 * Combines samples of some threads with the measured times of all: the samples are scaled to the CPU time of the group
 * `sampled`, and each other group becomes a frame of its name, in parentheses.
 * @throws Error if the profiler has no sample.
 */
export function cpuProfile(
  samples: readonly Stack[],
  times: ReadonlyMap<string, number>,
  sampled: string,
): CpuProfile {
  const scale = (times.get(sampled) ?? 0) / weightOf(samples);
  if (!Number.isFinite(scale)) throw new Error("the profiler has found no thread at work");
  const others = [...times].filter(([name, ms]) => name !== sampled && ms > 0);
  return {
    stacks: [
      ...samples.map(({ frames, weight }) => ({ frames, weight: weight * scale })),
      ...others.map(([name, weight]) => ({ frames: [`(${name})`], weight })),
    ],
    cpuMs: [...times.values()].reduce((sum, ms) => sum + ms, 0),
  };
}
