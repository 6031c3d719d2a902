import type { Level } from "@devicemesh/proto";
import { stepMs } from "../limits.ts";
import type { Fleet } from "./fleet.ts";
import { createPairSet } from "./pair-set.ts";

/** What the fleet sends, counted; nothing of a single reading is kept. */
export type Census = {
  /** Messages that the log appends, by step and partition: `counts[step * partitions + partition]`. */
  readonly appended: Uint32Array;
  /** Those among them that are sent again. */
  readonly duplicates: Uint32Array;
  /** Partials of the finest level by their segment and partition. */
  readonly partials: Uint32Array;
  /** Partials of each level, the finest first, that are folded when the run ends. */
  readonly documents: readonly number[];
  readonly totals: CensusTotals;
  /** Messages of each partition. */
  readonly perPartition: Float64Array;
};

export type CensusTotals = {
  /** Readings that were measured, and those of them that were appended before the run ended. */
  measured: number;
  readings: number;
  duplicates: number;
  /** Readings that were appended after their window, and a second one, had ended. */
  late: number;
};

/**
 * Sends every reading of `devices` once through the partitioner and the arithmetic of windows and segments. The
 * finest level counts duplicates too, as the window job does; the coarser ones are folded without them.
 */
export function takeCensus(
  fleet: Fleet,
  options: {
    readonly levels: readonly Level[];
    /** All devices by default. */
    readonly devices?: Iterable<number> | undefined;
    readonly onProgress?: ((devices: number) => void) | undefined;
  },
): Census {
  const { levels, devices = numbersBelow(fleet.config.devices), onProgress } = options;
  const { partitions, sinceMs, toMs } = fleet.config;
  const steps = Math.ceil((toMs - sinceMs) / stepMs);
  const [finest] = levels as [Level];
  const firstSegment = Math.floor(sinceMs / finest.segmentMs);
  const segments = Math.ceil(toMs / finest.segmentMs) - firstSegment;
  const appended = new Uint32Array(steps * partitions);
  const duplicates = new Uint32Array(steps * partitions);
  const partials = new Uint32Array(segments * partitions);
  const documents = levels.map(() => 0);
  const endsMs = levels.map(({ segmentMs }) => Math.floor(toMs / segmentMs) * segmentMs);
  const totals: CensusTotals = { measured: 0, readings: 0, duplicates: 0, late: 0 };
  const perPartition = new Float64Array(partitions);
  const pairs = createPairSet();
  let done = 0;

  for (const device of devices) {
    const partition = fleet.partition(device);
    const readings = fleet.readings(device);
    totals.measured += readings;
    // Each reading may be sent twice, and has a pair in each level.
    pairs.begin(2 * readings * levels.length);
    fleet.eachAppend(device, ({ timestampMs, appendMs, arrivedMs, copy }) => {
      const place = Math.floor((appendMs - sinceMs) / stepMs) * partitions + partition;
      appended[place] = (appended[place] as number) + 1;
      if (copy > 0) {
        totals.duplicates++;
        duplicates[place] = (duplicates[place] as number) + 1;
      } else {
        totals.readings++;
        const windowEndMs = Math.floor(timestampMs / finest.windowMs) * finest.windowMs + finest.windowMs;
        if (appendMs >= windowEndMs + finest.windowMs) totals.late++;
      }
      for (let level = 0; level < levels.length; level++) {
        if (copy > 0 && level > 0) break;
        const { windowMs, segmentMs } = levels[level] as Level;
        const segment = Math.floor(arrivedMs / segmentMs);
        if (!pairs.add(level, Math.floor(timestampMs / windowMs), segment)) continue;
        if ((segment + 1) * segmentMs <= (endsMs[level] as number)) (documents[level] as number)++;
        if (level > 0) continue;
        const at = Math.max(segment - firstSegment, 0) * partitions + partition;
        partials[at] = (partials[at] as number) + 1;
      }
    });
    if (++done % 1000 === 0) onProgress?.(done);
  }
  for (const [place, count] of appended.entries()) {
    perPartition[place % partitions] = (perPartition[place % partitions] as number) + count;
  }
  return { appended, duplicates, partials, documents, totals, perPartition };
}

function* numbersBelow(end: number): Generator<number> {
  for (let number = 0; number < end; number++) yield number;
}
