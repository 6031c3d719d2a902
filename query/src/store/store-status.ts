// What a store knows of itself: its progress, its counts, and the components that fill it.

/** The progress of the store, read together. An older horizon is as correct as a newer one. */
export type StoreHorizon = {
  /** Every message that arrived before this moment is in the store. */
  readonly completeThroughMs: number;
  /** For each level, the finest first: everything that arrived before is in its partials permanently; a multiple of its segmentMs, never growing from one level to the next coarser. 0 if nothing is. */
  readonly frontiersMs: readonly number[];
  /** For each level: partials of windows that start earlier may have expired (a multiple of the next coarser level's window); -Infinity if all are kept. Never growing towards coarser levels. */
  readonly levelsKeptSinceMs: readonly number[];
  /**
   * The levels above the finest are pure for duplicates that arrived at or after this moment: their partials do not
   * count a reading twice because of them. Infinity or unset if they never are.
   */
  readonly coarsePureSinceMs?: number | undefined;
  /** Raw readings with an earlier timestamp may have expired (a multiple of the finest level's window); -Infinity if all are kept. */
  readonly rawKeptSinceMs: number;
};

/** The counts and the progress of the store; see PipelineStatus in the contract. */
export type StoreStatus = {
  /** The append time of the last message, or undefined if there is none. */
  readonly logEndMs: number | undefined;
  readonly horizon: StoreHorizon;
  /** The levels, the finest first. */
  readonly partialCounts: readonly number[];
  readonly storedReadings: number;
  readonly series: number;
  readonly duplicates: number;
  readonly conflicts: number;
  /** Readings stored a second, over the last ten seconds. */
  readonly storedPerSecond: number;
  readonly diskBytes: number;
  /** Versions of the engines, by name. */
  readonly versions: Readonly<Record<string, string>>;
  /** Readings rejected by ingest since it started, if this store knows. */
  readonly refused: number | undefined;
  /** Problems of the store itself, as text; left out if there are none. */
  readonly problems?: readonly string[];
  /** The reports of the components that fill the store, if there are any. Undefined if there is nothing between log and store. */
  readonly parts?: StoreParts;
};

/** The reports of the components between the log and the store; see PipelineStatus in the contract. */
export type StoreParts = {
  /** The reporters, and the time of each last report, ms since 1970 by its own clock; undefined if there was none. */
  readonly reports: readonly { readonly name: string; readonly reportedMs: number | undefined }[];
  readonly deadLetters: readonly { readonly kind: string; readonly count: number }[];
  readonly connectors: readonly ConnectorReport[];
  /** Undefined before its first report. */
  readonly windowJob: WindowJobReport | undefined;
  /** Windows with duplicates that are answered from raw readings, and those that are answered from repairs. */
  readonly dirtyWindows: number;
  readonly repairedWindows: number;
  /** Problems that the components report. */
  readonly problems: readonly string[];
};

/** A connector between the log and the store. */
export type ConnectorReport = {
  readonly name: string;
  readonly state: string;
  readonly tasks: readonly { readonly id: number; readonly state: string; readonly error: string }[];
  readonly lag: number;
  readonly restarts: number;
};

/** The job that folds windows. */
export type WindowJobReport = {
  readonly state: string;
  readonly checkpoint: string;
  readonly batch: number | undefined;
  readonly watermarkMs: number | undefined;
  readonly inputRowsPerSecond: number;
  readonly processedRowsPerSecond: number;
  readonly batchMs: number;
  readonly stateRows: number;
  readonly rowsDropped: number;
  readonly lag: number;
  readonly restarts: number;
  readonly lastError: string;
  readonly observedMs: number;
};
