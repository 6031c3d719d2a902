/** The counts of ingest since its start. */
export type IngestStats = {
  /** Readings acknowledged as durably stored, in units that succeeded. */
  readonly accepted: number;
  /** Readings rejected, in units that succeeded. */
  readonly refused: number;
  /** The same by the id of the broken rule. */
  readonly refusedByRule: ReadonlyMap<string, number>;
  /** Units (and batches) that succeeded. */
  readonly units: number;
  /** Units (and batches) that failed. */
  readonly failedUnits: number;
  /** Units (and batches) whose client disconnected, or whose deadline passed, before the response. */
  readonly abandonedUnits: number;
  /** Frames received, including those of failed units. */
  readonly frames: number;
  /** Bytes of those frames. */
  readonly bytes: number;
  /** Units (and batches) in progress. */
  readonly openStreams: number;
  /** Readings passed to the log and not acknowledged by it yet. */
  readonly readingsInFlight: number;
};

/** The counters behind IngestStats; each is incremented in one place. */
export type IngestCounters = {
  -readonly [Name in keyof Omit<IngestStats, "openStreams" | "readingsInFlight" | "refusedByRule">]: number;
} & { readonly refusedByRule: Map<string, number> };

/** All at zero. */
export function createCounters(): IngestCounters {
  return {
    accepted: 0,
    refused: 0,
    refusedByRule: new Map(),
    units: 0,
    failedUnits: 0,
    abandonedUnits: 0,
    frames: 0,
    bytes: 0,
  };
}
