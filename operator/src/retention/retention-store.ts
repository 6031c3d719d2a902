import type { KeptSince } from "@devicemesh/proto";

/** The part of the database that retention uses. All functions reject if the database cannot be reached. */
export type RetentionStore = {
  /** Returns the marks; undefined if there are none yet. */
  readMarks(signal?: AbortSignal): Promise<KeptSince | undefined>;
  /** Raises the marks; a mark that is already higher stays. Durable when it resolves. */
  raiseMarks(marks: KeptSince): Promise<void>;
  /**
   * Returns marks for a database that has none, from what an older operator may have deleted: it deleted readings a
   * fixed time after their arrival.
   */
  concludeMarks(): Promise<KeptSince>;
  /**
   * Returns the published frontiers, the finest level first, in ms by the log's clock; 0 for a level without folded
   * data.
   */
  readFrontiers(): Promise<readonly number[]>;
  /** Deletes at most `limit` raw readings before this timestamp and arrival. Resolves to their number. */
  deleteReadings(batch: {
    readonly beforeMs: number;
    readonly arrivedBeforeMs: number;
    readonly limit: number;
  }): Promise<number>;
  /** Deletes at most `limit` partials of a level, by the start of their window and of their segment. */
  deletePartials(batch: {
    readonly level: number;
    readonly beforeMs: number;
    readonly segmentBeforeMs: number;
    readonly limit: number;
  }): Promise<number>;
};
