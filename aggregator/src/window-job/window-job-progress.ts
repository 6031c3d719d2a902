/** The progress of the window job, from the newest batch that is known to be committed. Times are ms since 1970. */
export type WindowJobProgress = {
  /**
   * The partials of segments that end at or before it are in the topic, completely and permanently. Undefined before
   * Spark has a watermark; 1970 while a partition has never had a record.
   */
  readonly watermarkMs: number | undefined;
  readonly batch: number | undefined;
  /** Number of messages that the batch read. */
  readonly inputRows: number;
  /** The rates of all partitions together. */
  readonly inputRowsPerSecond: number;
  readonly processedRowsPerSecond: number;
  /** Duration of the batch, in ms. */
  readonly batchMs: number;
  /** Number of open partials in Spark's state. */
  readonly stateRows: number;
  /** Number of messages, or groups of them, that were too late for their segment, in all observed batches. */
  readonly rowsDropped: number;
  /** The next offsets that Spark will read, by partition. */
  readonly endOffsets: ReadonlyMap<number, number>;
};

/** The figures of one batch; `rowsDropped` counts that batch only. */
export type BatchProgress = WindowJobProgress & {
  readonly batch: number;
  /** By partition: where it began; without those that it was the first to take, or took nothing from. */
  readonly startOffsets: ReadonlyMap<number, number>;
};

/**
 * Reads a StreamingQueryProgress. Its watermark is the one with which the batch closed segments, whose partials are
 * written when the progress appears.
 * @throws SyntaxError or TypeError if it is not valid.
 */
export function parseBatchProgress(json: string): BatchProgress {
  const progress = JSON.parse(json) as SparkProgress;
  if (typeof progress.batchId !== "number") throw new TypeError("a progress without a batchId");
  const { batchId, batchDuration = 0, eventTime = {}, sources = [], stateOperators = [] } = progress;
  const watermarkMs = Date.parse(eventTime.watermark ?? "");
  return {
    batch: batchId,
    watermarkMs: Number.isNaN(watermarkMs) ? undefined : watermarkMs,
    inputRows: sum(sources.map((source) => source.numInputRows)),
    inputRowsPerSecond: sum(sources.map((source) => source.inputRowsPerSecond)),
    processedRowsPerSecond: sum(sources.map((source) => source.processedRowsPerSecond)),
    batchMs: batchDuration,
    stateRows: sum(stateOperators.map((operator) => operator.numRowsTotal)),
    rowsDropped: sum(stateOperators.map((operator) => operator.numRowsDroppedByWatermark)),
    startOffsets: new Map(sources.flatMap(({ startOffset }) => offsetsOf(startOffset))),
    endOffsets: new Map(sources.flatMap(({ endOffset }) => offsetsOf(endOffset))),
  };
}

/** Adds up the figures of the batches of one checkpoint. */
export type ProgressTracker = {
  /** Takes a batch, and returns whether it is newer. A known or older batch changes nothing. */
  add(batch: BatchProgress): boolean;
  /** Undefined before the first batch; `rowsDropped` counts all batches. */
  readonly progress: BatchProgress | undefined;
};

/** Creates a sum without batches. */
export function createProgressTracker(): ProgressTracker {
  let progress: BatchProgress | undefined;
  return {
    add(batch) {
      if (progress && batch.batch <= progress.batch) return false;
      progress = { ...batch, rowsDropped: (progress?.rowsDropped ?? 0) + batch.rowsDropped };
      return true;
    },
    get progress() {
      return progress;
    },
  };
}

/** The fields that are read; Spark leaves out numbers that are not finite. */
type SparkProgress = {
  readonly batchId?: number;
  readonly batchDuration?: number;
  readonly eventTime?: { readonly watermark?: string };
  readonly sources?: readonly {
    readonly numInputRows?: number;
    readonly inputRowsPerSecond?: number;
    readonly processedRowsPerSecond?: number;
    readonly startOffset?: SourceOffset;
    readonly endOffset?: SourceOffset;
  }[];
  readonly stateOperators?: readonly {
    readonly numRowsTotal?: number;
    readonly numRowsDroppedByWatermark?: number;
  }[];
};

/** Offsets by topic and partition. */
type Offsets = Readonly<Record<string, Readonly<Record<string, number>>>>;

/** The offset of a source without new records may be JSON in a string. */
type SourceOffset = Offsets | string | null;

function offsetsOf(offset: SourceOffset = null): [number, number][] {
  const offsets = typeof offset === "string" ? (JSON.parse(offset) as Offsets) : (offset ?? {});
  return Object.values(offsets).flatMap((partitions) =>
    Object.entries(partitions).map(([partition, next]): [number, number] => [Number(partition), next]),
  );
}

function sum(numbers: readonly (number | undefined)[]): number {
  return numbers.reduce<number>((total, number) => total + (number ?? 0), 0);
}
