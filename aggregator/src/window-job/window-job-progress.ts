/** How far the window job is, by the newest batch that is known to be committed. Times are ms since 1970. */
export type WindowJobProgress = {
  /**
   * Segments that end at or before it are in the topic of partials, completely and permanently. Undefined before Spark
   * knows one; 1970 while a partition has never had a record.
   */
  readonly watermarkMs: number | undefined;
  readonly batch: number | undefined;
  /** Messages that the batch took. */
  readonly inputRows: number;
  /** All partitions together. */
  readonly inputRowsPerSecond: number;
  readonly processedRowsPerSecond: number;
  /** How long the batch took, in ms. */
  readonly batchMs: number;
  /** Open partials in Spark's state. */
  readonly stateRows: number;
  /** Messages that came too late for their segment, in all batches that were seen. Above zero means loss. */
  readonly rowsDropped: number;
  /** By partition: what Spark has taken so far, as the next offset to take. */
  readonly endOffsets: ReadonlyMap<number, number>;
};

/** What one batch says of itself; `rowsDropped` are its own. */
export type BatchProgress = WindowJobProgress & { readonly batch: number };

/**
 * Reads a StreamingQueryProgress. Its watermark is the one that the batch closed segments with: they are
 * written when the progress appears.
 * @throws SyntaxError or TypeError if it is none.
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
    endOffsets: new Map(sources.flatMap(({ endOffset }) => offsetsOf(endOffset))),
  };
}

/** Adds up what the batches of one checkpoint say. */
export type ProgressTracker = {
  /** Takes a batch, and says whether it is a newer one. Of one that is known, or older, nothing is taken. */
  add(batch: BatchProgress): boolean;
  /** Undefined before the first batch; `rowsDropped` of all batches that were taken. */
  readonly progress: BatchProgress | undefined;
};

/** Makes one that has seen nothing. */
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

/** The parts that are read; Spark leaves out what is not a finite number. */
type SparkProgress = {
  readonly batchId?: number;
  readonly batchDuration?: number;
  readonly eventTime?: { readonly watermark?: string };
  readonly sources?: readonly {
    readonly numInputRows?: number;
    readonly inputRowsPerSecond?: number;
    readonly processedRowsPerSecond?: number;
    readonly endOffset?: EndOffset;
  }[];
  readonly stateOperators?: readonly {
    readonly numRowsTotal?: number;
    readonly numRowsDroppedByWatermark?: number;
  }[];
};

/** By topic and partition. */
type Offsets = Readonly<Record<string, Readonly<Record<string, number>>>>;

/** The offset of a source that a batch took nothing from may be the JSON as a text. */
type EndOffset = Offsets | string | null;

function offsetsOf(endOffset: EndOffset = null): [number, number][] {
  const offsets = typeof endOffset === "string" ? (JSON.parse(endOffset) as Offsets) : (endOffset ?? {});
  return Object.values(offsets).flatMap((partitions) =>
    Object.entries(partitions).map(([partition, offset]): [number, number] => [Number(partition), offset]),
  );
}

function sum(numbers: readonly (number | undefined)[]): number {
  return numbers.reduce<number>((total, number) => total + (number ?? 0), 0);
}
