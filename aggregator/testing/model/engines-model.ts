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
  /** The largest append time of its partition until then. */
  readonly newestMs: number;
  readonly offset: number;
};

/** A record of the log; a tick has no reading. */
export type ModelRecord = {
  readonly arrivedMs: number;
  readonly newestMs: number;
  readonly reading?: Omit<ModelReading, "arrivedMs" | "newestMs" | "offset">;
};

export type ModelPartial = ModelFigures & {
  readonly device: number;
  readonly windowMs: number;
  readonly segmentMs: number;
};

/** The log: append times go back within a partition only where its broker's clock does. */
export function createLogModel(partitions: number) {
  const records: ModelRecord[][] = Array.from({ length: partitions }, () => []);
  const offMs = records.map(() => 0);

  function append(partition: number, nowMs: number, reading?: ModelRecord["reading"]) {
    const list = records[partition] as ModelRecord[];
    const arrivedMs = nowMs + (offMs[partition] as number);
    const newestMs = Math.max(list.at(-1)?.newestMs ?? 0, arrivedMs);
    list.push(reading ? { arrivedMs, newestMs, reading } : { arrivedMs, newestMs });
    const isBehind = arrivedMs < newestMs;
    return { partition, offset: list.length - 1, appendedMs: arrivedMs, isBehind };
  }

  return {
    records,
    /** The largest append time of each partition. */
    newestMs: () =>
      new Map(
        records.flatMap((list, partition) => {
          const last = list.at(-1);
          return last ? [[partition, last.newestMs]] : [];
        }),
      ),
    /** The clock of a partition's broker goes wrong, or right again, after a tick: gives that. */
    stepClock(nowMs: number, random: ModelRandom) {
      const partition = random.between(0, partitions - 1);
      const tick = append(partition, nowMs);
      offMs[partition] = random.pick([0, 0, -random.between(1, 80), random.between(1, 30)]);
      return tick;
    },
    append,
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
  /** The watermark of the next batch, by which it closes segments. */
  readonly watermarkMs: number | undefined;
  /** The watermark of the batch before, by which the next batch drops messages. */
  readonly lateMs: number | undefined;
  /** Messages that the batch dropped. */
  dropped: number;
};

/** What Spark reports of a committed batch. */
export type ModelBatch = {
  readonly startOffsets: ReadonlyMap<number, number>;
  readonly endOffsets: ReadonlyMap<number, number>;
  readonly rowsDropped: number;
  readonly watermarkMs: number | undefined;
};

/** Spark: micro-batches with a watermark for each partition, append mode, rows in the topic before the commit. */
export function createSparkModel(options: {
  readonly records: readonly (readonly ModelRecord[])[];
  readonly random: ModelRandom;
  readonly delayMs: number;
  /** By how much it counts a tick as later than its append time. */
  readonly leadMs: number;
  /** Leaves out the rule that the slowest partition decides. */
  readonly isFastestDeciding: boolean;
  /** The topic of partials. */
  readonly topic: ModelPartial[];
}) {
  const { records, random, topic } = options;
  let sinceMs = 0;
  let state = startedAt(records.map(() => 0));
  let dropped = 0;

  function startedAt(positions: number[]): SparkState {
    return {
      positions,
      newestMs: records.map(() => undefined),
      groups: new Map(),
      watermarkMs: undefined,
      lateMs: undefined,
      dropped: 0,
    };
  }

  function take(next: SparkState, partition: number): void {
    const record = records[partition]?.[next.positions[partition] as number];
    if (!record) return;
    next.positions[partition] = (next.positions[partition] as number) + 1;
    // What arrived before it counts is one segment, which is never written.
    const arrivedMs = Math.max(record.arrivedMs, sinceMs - 1);
    const countedMs = record.reading ? arrivedMs : arrivedMs + options.leadMs;
    next.newestMs[partition] = Math.max(next.newestMs[partition] ?? 0, countedMs);
    if (!record.reading) return;
    const { device, timestampMs, value } = record.reading;
    const windowMs = alignDown(timestampMs, modelSizes.windowMs);
    const segmentMs = alignDown(arrivedMs, modelSizes.segmentMs);
    if (segmentMs + modelSizes.segmentMs <= (next.lateMs ?? Number.NEGATIVE_INFINITY)) {
      next.dropped++;
      return;
    }
    if (arrivedMs < sinceMs) return;
    const key = `${device}|${windowMs}|${segmentMs}`;
    next.groups.set(key, {
      ...merged(next.groups.get(key), figuresOf(value)),
      device,
      windowMs,
      segmentMs,
    });
  }

  return {
    /** What is reported of it; undefined if it was not committed. */
    runBatch(): ModelBatch | undefined {
      const watermarkMs = state.watermarkMs ?? Number.NEGATIVE_INFINITY;
      const next = {
        positions: [...state.positions],
        newestMs: [...state.newestMs],
        groups: new Map(state.groups),
        watermarkMs: state.watermarkMs,
        lateMs: state.lateMs,
        dropped: 0,
      };
      for (const partition of records.keys()) {
        const count = random.pick([0, 1, 3, 10]);
        for (let taken = 0; taken < count; taken++) take(next, partition);
      }
      for (const [key, partial] of next.groups) {
        if (partial.segmentMs + modelSizes.segmentMs > watermarkMs) continue;
        topic.push(partial);
        next.groups.delete(key);
      }
      // A crash before the commit: the state is as before, the rows may stay in the topic.
      if (random.next() < 0.12) return undefined;
      dropped += next.dropped;
      const batch = {
        startOffsets: new Map(state.positions.entries()),
        endOffsets: new Map(next.positions.entries()),
        rowsDropped: next.dropped,
        watermarkMs: state.watermarkMs,
      };
      const newest = next.newestMs.filter((ms) => ms !== undefined);
      if (newest.length === records.length) {
        const decidingMs = options.isFastestDeciding ? Math.max(...newest) : Math.min(...newest);
        next.watermarkMs = Math.max(next.watermarkMs ?? 0, decidingMs - options.delayMs);
      }
      state = { ...next, lateMs: state.watermarkMs };
      return batch;
    },
    /** A new checkpoint that takes what arrived at or after `ms`, and nothing else; gives where it begins. */
    startAnew(ms: number): ReadonlyMap<number, number> {
      sinceMs = ms;
      state = startedAt(
        records.map((list) => {
          const first = list.findIndex(({ arrivedMs }) => arrivedMs >= ms);
          return first < 0 ? list.length : first;
        }),
      );
      return new Map(state.positions.entries());
    },
    get dropped() {
      return dropped;
    },
  };
}
