import type { Census } from "../fleet/census.ts";
import type { Fleet } from "../fleet/fleet.ts";
import { stepMs } from "../limits.ts";
import type { SampleRecord } from "./sample-records.ts";

/** A tick that the log has acknowledged. */
export type AppendedTick = {
  readonly partition: number;
  readonly offset: number;
  readonly appendedMs: number;
};

/**
 * The topic of messages. Of most messages only their number in each step is known; those of the sampled devices are
 * there one by one, at the offset that their time has among the others.
 */
export type SimulatedLog = ReturnType<typeof createLog>;

/** Creates an empty log with capacity for `steps` steps. */
export function createLog(options: {
  readonly fleet: Fleet;
  readonly census: Pick<Census, "appended">;
  readonly samples: readonly (readonly SampleRecord[])[];
  readonly steps: number;
}) {
  const { fleet, census, samples, steps } = options;
  const { partitions, sinceMs } = fleet.config;
  const { plan } = fleet;
  // By step and partition: the offset at the step's start, and the largest append time at its end (less `sinceMs`).
  const starts = new Uint32Array((steps + 1) * partitions);
  const newest = new Int32Array(steps * partitions).fill(unset);
  const nextSample = samples.map(() => 0);
  let step = 0;

  const startOf = (partition: number, at: number): number => starts[at * partitions + partition] as number;
  const endOf = (partition: number): number => startOf(partition, step);
  const stepStartMs = (at: number): number => sinceMs + at * stepMs;

  /** Gives the sampled messages of a step their offsets among the `count` of it, in order. */
  function place(partition: number, first: number, count: number, before: number): void {
    const list = samples[partition] as readonly SampleRecord[];
    const begin = nextSample[partition] as number;
    let end = begin;
    while (end < list.length && (list[end] as SampleRecord).appendMs < stepStartMs(step + 1)) end++;
    let least = first;
    for (let at = begin; at < end; at++) {
      const record = list[at] as SampleRecord;
      const share = (record.appendMs - stepStartMs(step)) / stepMs;
      record.offset = Math.min(
        Math.max(first + Math.floor(share * count), least),
        first + count - (end - at),
      );
      record.newestMs = Math.max(before + sinceMs, record.arrivedMs);
      least = record.offset + 1;
    }
    nextSample[partition] = end;
  }

  return {
    partitions,
    /** The time at which the appended steps end. */
    get nowMs() {
      return stepStartMs(step);
    },
    /** Appends what arrives in the next step, and then a round of ticks. */
    append(hasTicks: boolean): { readonly ticks: readonly AppendedTick[]; readonly lost: readonly number[] } {
      const ticks: AppendedTick[] = [];
      const lost: number[] = [];
      const nowMs = stepStartMs(step);
      for (let partition = 0; partition < partitions; partition++) {
        const at = step * partitions + partition;
        const first = starts[at] as number;
        const count = census.appended[at] ?? 0;
        const offMs = plan.clockOffMs(partition, nowMs);
        const before = step === 0 ? unset : (newest[at - partitions] as number);
        place(partition, first, count, before);
        let end = first + count;
        let newestHere = count > 0 ? (step + 1) * stepMs - 1 + offMs : unset;
        if (hasTicks && plan.appendMs(partition, nowMs, 0) === nowMs) {
          newestHere = (step + 1) * stepMs + offMs;
          ticks.push({ partition, offset: end++, appendedMs: sinceMs + newestHere });
        } else if (hasTicks) lost.push(partition);
        starts[at + partitions] = end;
        newest[at] = Math.max(before, newestHere);
      }
      step++;
      return { ticks, lost };
    },
    endOf,
    /** The step of the message at an offset. */
    stepOf(partition: number, offset: number): number {
      let [low, high] = [0, step];
      while (high - low > 1) {
        const middle = (low + high) >> 1;
        if (startOf(partition, middle) <= offset) low = middle;
        else high = middle;
      }
      return low;
    },
    startOf,
    stepStartMs,
    /** How far the clock of the partition's broker was off in a step, in ms. */
    clockOffMs: (partition: number, at: number) => plan.clockOffMs(partition, stepStartMs(at)),
    /** The largest append time before the step; undefined if there is no message. */
    newestBeforeMs(partition: number, at: number): number | undefined {
      const found = at === 0 ? unset : (newest[(at - 1) * partitions + partition] as number);
      return found === unset ? undefined : sinceMs + found;
    },
    /** The first offset of each partition at or after `ms`, to the precision of a step. */
    offsetsAt(ms: number): Map<number, number> {
      const found = new Map<number, number>();
      for (let partition = 0; partition < partitions; partition++) {
        let [low, high] = [-1, step];
        while (high - low > 1) {
          const middle = (low + high) >> 1;
          if (sinceMs + (newest[middle * partitions + partition] as number) >= ms) high = middle;
          else low = middle;
        }
        found.set(partition, startOf(partition, high));
      }
      return found;
    },
    ends: () => new Map(Array.from({ length: partitions }, (_, partition) => [partition, endOf(partition)])),
    /** The sampled messages at offsets in [from, to), in order. */
    samplesBetween(partition: number, from: number, to: number): readonly SampleRecord[] {
      const list = samples[partition] as readonly SampleRecord[];
      const limit = nextSample[partition] as number;
      return list.slice(firstAt(list, from, limit), firstAt(list, to, limit));
    },
  };
}

const unset = -(2 ** 31);

/** The place of the first of the `limit` appended records whose offset is at least `offset`. */
function firstAt(list: readonly SampleRecord[], offset: number, limit: number): number {
  let [low, high] = [0, limit];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((list[middle] as SampleRecord).offset < offset) low = middle + 1;
    else high = middle;
  }
  return low;
}
