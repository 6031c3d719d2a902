/** What ingest has done since it was started. */
export type IngestStats = {
  /** Readings acknowledged as durable, in units that were answered with success. */
  readonly accepted: number;
  /** Readings refused, in units that were answered with success. */
  readonly refused: number;
  /** The same by the id of the rule that they broke. */
  readonly refusedByRule: ReadonlyMap<string, number>;
  /** Units (and batches) answered with success. */
  readonly units: number;
  /** Units (and batches) answered with an error. */
  readonly failedUnits: number;
  /** Units (and batches) whose client went away, or whose deadline passed, before the answer. */
  readonly abandonedUnits: number;
  /** Frames received, also of units that failed. */
  readonly frames: number;
  /** Bytes of those frames. */
  readonly bytes: number;
  /** Units (and batches) open now. */
  readonly openStreams: number;
  /** Readings handed to the log and not acknowledged by it, now. */
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
