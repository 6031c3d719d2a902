import type { BatchProgress } from "@devicemesh/aggregator/window-job/window-job-progress";

/** A batch of the window job, and when it was seen. */
export type ObservedBatch = {
  readonly batch: number;
  readonly rows: number;
  readonly batchMs: number;
  /** When it was seen, ms since 1970. */
  readonly seenAtMs: number;
  /** CPU time of Spark until then, in ms. */
  readonly sparkCpuMs: number;
};

/** Consecutive batches together. */
export type BatchSum = {
  readonly batches: number;
  readonly rows: number;
  /** All their time, in ms. */
  readonly batchMs: number;
  /** CPU time of Spark from the end of the batch before them to that of the last one, in ms. */
  readonly sparkCpuMs: number;
};

/** Records batches as the job reports them. */
export type BatchRecord = {
  add(progress: BatchProgress): void;
  readonly batches: readonly ObservedBatch[];
  /** Rows of all batches. */
  readonly rows: number;
};

/** Creates an empty record. */
export function createBatchRecord(clock: {
  /** Ms since 1970. */
  readonly now: () => number;
  /** CPU time of Spark, in ms. */
  readonly sparkCpuMs: () => number;
}): BatchRecord {
  const batches: ObservedBatch[] = [];
  let rows = 0;
  return {
    add({ batch, inputRows, batchMs }) {
      rows += inputRows;
      const seenAtMs = clock.now();
      batches.push({ batch, rows: inputRows, batchMs, seenAtMs, sparkCpuMs: clock.sparkCpuMs() });
    },
    batches,
    get rows() {
      return rows;
    },
  };
}

/**
 * Splits batches where their rows reach `rows`: the batch that reaches it is the last of the first part.
 * @throws RangeError if they do not reach it.
 */
export function splitAtRows(
  batches: readonly ObservedBatch[],
  rows: number,
): readonly [readonly ObservedBatch[], readonly ObservedBatch[]] {
  let sum = 0;
  const last = batches.findIndex((batch) => {
    sum += batch.rows;
    return sum >= rows;
  });
  if (last < 0) throw new RangeError(`the batches have ${sum} rows, not ${rows}`);
  return [batches.slice(0, last + 1), batches.slice(last + 1)];
}

/** Adds up batches; `cpuBeforeMs` is Spark's CPU time before the first one. */
export function sumOf(batches: readonly ObservedBatch[], cpuBeforeMs: number): BatchSum {
  return {
    batches: batches.length,
    rows: batches.reduce((sum, { rows }) => sum + rows, 0),
    batchMs: batches.reduce((sum, { batchMs }) => sum + batchMs, 0),
    sparkCpuMs: (batches.at(-1)?.sparkCpuMs ?? cpuBeforeMs) - cpuBeforeMs,
  };
}
