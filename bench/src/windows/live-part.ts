import { startLoop } from "@devicemesh/aggregator/loop";
import type { ObservedBatch } from "./observed-batches.ts";

/** A part of the run in which no backlog waits. */
export type LivePart = {
  readonly seconds: number;
  readonly batches: readonly ObservedBatch[];
  /** CPU time of Spark, in ms. */
  readonly sparkCpuMs: number;
  /** Numbers of records that the job had not read, once a second. */
  readonly lag: readonly number[];
};

/** Observes the job while `work` runs. */
export async function observeLive(
  work: () => Promise<unknown>,
  observed: {
    readonly batches: readonly ObservedBatch[];
    readonly sparkCpuMs: () => number;
    /** Number of records that the job has not read. */
    readonly lag: () => Promise<number>;
    readonly onFailure: (error: unknown) => void;
  },
): Promise<LivePart> {
  const { batches, sparkCpuMs, onFailure } = observed;
  const first = batches.length;
  const beganMs = performance.now();
  const cpuBeganMs = sparkCpuMs();
  const lag: number[] = [];
  const observe = async (): Promise<void> => {
    lag.push(await observed.lag());
  };
  await using _observing = startLoop({ intervalMs: 1000, step: observe, onFailure });
  await work();
  return {
    seconds: (performance.now() - beganMs) / 1000,
    batches: batches.slice(first),
    sparkCpuMs: sparkCpuMs() - cpuBeganMs,
    lag,
  };
}

/** The lag in the middle third and in the last third, as medians: whether it grows. */
export function lagTrend(lag: readonly number[]): { readonly middle: number; readonly last: number } {
  const third = Math.floor(lag.length / 3);
  if (third === 0) throw new RangeError("too few figures of the lag");
  const medianOf = (part: readonly number[]): number =>
    part.toSorted((a, b) => a - b)[Math.floor(part.length / 2)] as number;
  return { middle: medianOf(lag.slice(third, 2 * third)), last: medianOf(lag.slice(-third)) };
}
