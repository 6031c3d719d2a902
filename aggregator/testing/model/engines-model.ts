import { alignDown } from "@devicemesh/proto";
import type { ModelRandom } from "./model-random.ts";

// The engines around the aggregator: as small as possible, with every fault that the real ones may have. They
// redeliver, commit late, crash, and run unevenly. Times are ms; devices and values are small numbers.

/** Sizes in the model: few and small, so that boundaries are met often. */
export const modelSizes = { windowMs: 10, segmentMs: 10, coarseMs: 60 } as const;

/** Count, sum, minimum and maximum stand in for all figures. */
export type ModelFigures = {
  readonly count: number;
  readonly sum: number;
  readonly minimum: number;
  readonly maximum: number;
};

export type ModelReading = {
  readonly device: number;
  readonly timestampMs: number;
  readonly value: number;
  readonly arrivedMs: number;
  readonly offset: number;
};

/** A record of the log; a tick has no reading. */
export type ModelRecord = {
  readonly arrivedMs: number;
  readonly reading?: Omit<ModelReading, "arrivedMs" | "offset">;
};

export type ModelPartial = ModelFigures & {
  readonly device: number;
  readonly windowMs: number;
  readonly segmentMs: number;
};

/** The log: append times never go back within a partition. */
export function createLogModel(partitions: number) {
  const records: ModelRecord[][] = Array.from({ length: partitions }, () => []);
  return {
    records,
    append(partition: number, nowMs: number, reading?: ModelRecord["reading"]) {
      const list = records[partition] as ModelRecord[];
      const arrivedMs = Math.max(list.at(-1)?.arrivedMs ?? 0, nowMs);
      list.push(reading ? { arrivedMs, reading } : { arrivedMs });
      return { partition, offset: list.length - 1, appendedMs: arrivedMs };
    },
  };
}

/**
 * A consumer's position in one partition: it reads ahead of its commits; a crash returns it to the committed offset.
 */
export type ConsumerModel = { position: number; committed: number };

export function maybeCommit(consumer: ConsumerModel, random: ModelRandom, chance: number): void {
  if (random.next() < chance) consumer.committed = consumer.position;
  if (random.next() < 0.1) consumer.position = consumer.committed;
}

/** Merges two figures; returns one alone if the other is missing. */
export function merged(a: ModelFigures | undefined, b: ModelFigures): ModelFigures {
  if (!a || a.count === 0) return b;
  if (b.count === 0) return a;
  return {
    count: a.count + b.count,
    sum: a.sum + b.sum,
    minimum: Math.min(a.minimum, b.minimum),
    maximum: Math.max(a.maximum, b.maximum),
  };
}

export const nothing: ModelFigures = { count: 0, sum: 0, minimum: 0, maximum: 0 };

export function figuresOf(value: number): ModelFigures {
  return { count: 1, sum: value, minimum: value, maximum: value };
}

type SparkState = {
  readonly positions: number[];
  /** The largest append time so far, by partition. */
  readonly newestMs: (number | undefined)[];
  readonly groups: Map<string, ModelPartial>;
  /** The watermark of the next batch. */
  readonly watermarkMs: number | undefined;
};

/** Spark: micro-batches with a watermark for each partition, append mode, rows in the topic before the commit. */
export function createSparkModel(options: {
  readonly records: readonly (readonly ModelRecord[])[];
  readonly random: ModelRandom;
  readonly delayMs: number;
  /** Leaves out the rule that the slowest partition decides. */
  readonly isFastestDeciding: boolean;
  /** The topic of partials. */
  readonly topic: ModelPartial[];
}) {
  const { records, random, topic } = options;
  let sinceMs = 0;
  let state = startedAt(records.map(() => 0));
  let committedWatermarkMs: number | undefined;
  let dropped = 0;

  function startedAt(positions: number[]): SparkState {
    return { positions, newestMs: records.map(() => undefined), groups: new Map(), watermarkMs: undefined };
  }

  function take(next: SparkState, partition: number, watermarkMs: number): void {
    const record = records[partition]?.[next.positions[partition] as number];
    if (!record) return;
    next.positions[partition] = (next.positions[partition] as number) + 1;
    next.newestMs[partition] = Math.max(next.newestMs[partition] ?? 0, record.arrivedMs);
    if (!record.reading || record.arrivedMs < sinceMs) return;
    const { device, timestampMs, value } = record.reading;
    const windowMs = alignDown(timestampMs, modelSizes.windowMs);
    const segmentMs = alignDown(record.arrivedMs, modelSizes.segmentMs);
    if (segmentMs + modelSizes.segmentMs <= watermarkMs) {
      dropped++;
      return;
    }
    const key = `${device}|${windowMs}|${segmentMs}`;
    next.groups.set(key, {
      ...merged(next.groups.get(key), figuresOf(value)),
      device,
      windowMs,
      segmentMs,
    });
  }

  return {
    runBatch() {
      const watermarkMs = state.watermarkMs ?? Number.NEGATIVE_INFINITY;
      const next = {
        positions: [...state.positions],
        newestMs: [...state.newestMs],
        groups: new Map(state.groups),
        watermarkMs: state.watermarkMs,
      };
      for (const partition of records.keys()) {
        const count = random.pick([0, 1, 3, 10]);
        for (let taken = 0; taken < count; taken++) take(next, partition, watermarkMs);
      }
      for (const [key, partial] of next.groups) {
        if (partial.segmentMs + modelSizes.segmentMs > watermarkMs) continue;
        topic.push(partial);
        next.groups.delete(key);
      }
      // A crash before the commit: the state is as before, the rows may stay in the topic.
      if (random.next() < 0.12) return;
      committedWatermarkMs = state.watermarkMs;
      const newest = next.newestMs.filter((ms) => ms !== undefined);
      if (newest.length === records.length) {
        const decidingMs = options.isFastestDeciding ? Math.max(...newest) : Math.min(...newest);
        next.watermarkMs = Math.max(next.watermarkMs ?? 0, decidingMs - options.delayMs);
      }
      state = next;
    },
    /** A new checkpoint that reads only what arrived at or after `ms`. */
    startAnew(ms: number) {
      sinceMs = ms;
      committedWatermarkMs = undefined;
      state = startedAt(
        records.map((list) => {
          const first = list.findIndex(({ arrivedMs }) => arrivedMs >= ms);
          return first < 0 ? list.length : first;
        }),
      );
    },
    get watermarkMs() {
      return committedWatermarkMs;
    },
    get dropped() {
      return dropped;
    },
  };
}
