import type { KeptSince } from "@devicemesh/proto";

/** What the retention needs of the database. All of it rejects when the database cannot be reached. */
export type RetentionStore = {
  /** The marks; undefined if there are none yet. */
  readMarks(signal?: AbortSignal): Promise<KeptSince | undefined>;
  /** Raises the marks; one that is higher already stays. Durable when it resolves. */
  raiseMarks(marks: KeptSince): Promise<void>;
  /**
   * Marks for a database that has none, by what an older operator may have deleted: readings were removed when
   * they had arrived long enough ago.
   */
  concludeMarks(): Promise<KeptSince>;
  /** The published frontiers, the finest level first, in ms by the log's clock; 0 where nothing is folded. */
  readFrontiers(): Promise<readonly number[]>;
  /** Deletes at most `limit` raw readings of that timestamp and arrival. Resolves with how many there were. */
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
