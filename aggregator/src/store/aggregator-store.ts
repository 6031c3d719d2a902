import type { AggregatorStatusDocument } from "@devicemesh/pipeline";
import type { Level } from "@devicemesh/proto";
import type { LateWindow } from "../late-appends/late-appends.ts";
import type { PartitionOffsets } from "../log/log-access.ts";
import type { DuplicateWindow, RepairSpan } from "../repairs/repair-choice.ts";

/** The published progress of the mesh. Times are ms by the log's clock. */
export type PublishedFrontier = {
  /** 0 if unknown. */
  readonly completeThroughMs: number;
  /** The frontiers of the levels, the finest first; 0 for a level without folded data. */
  readonly frontiersMs: readonly number[];
  /** The levels above the finest are pure for duplicates that arrived since; undefined if that is unknown. */
  readonly coarsePureSinceMs?: number | undefined;
  readonly logEndMs: number | undefined;
};

/** The settings that were fixed when the mesh was made. */
export type MeshSettings = {
  readonly levels: readonly Level[];
  readonly partitions: number;
};

/** The database of the aggregator. Each method rejects when the database is unavailable or too slow. */
export type AggregatorStore = {
  /** Returns the settings of the mesh; undefined until the operator has made it. */
  readSettings(): Promise<MeshSettings | undefined>;

  /** Returns the timestamp (ms) before which raw readings may have been deleted; -Infinity if none was. */
  readRawKeptSince(): Promise<number>;

  readFrontier(): Promise<PublishedFrontier>;
  /** Publishes the values that moved forward; a value that would go back stays. Durable when it resolves. */
  publishFrontier(moved: {
    readonly completeThroughMs?: number | undefined;
    readonly logEndMs?: number | undefined;
    readonly coarsePureSinceMs?: number | undefined;
    readonly level?: { readonly level: number; readonly frontierMs: number };
  }): Promise<void>;

  /** Registers the series of the finest partials of the segments in [sinceMs, toMs). Repeating it changes nothing. */
  registerSeries(span: { readonly sinceMs: number; readonly toMs: number }): Promise<void>;

  /** Returns the first segment at or after `sinceMs` that has a partial at this level; undefined if there is none. */
  firstSegment(level: number, sinceMs: number): Promise<number | undefined>;
  /**
   * Folds the partials of the next finer level of one segment [sinceMs, toMs) of `level`. Repeating it changes nothing.
   * With `isPure` (for the second level) devices with duplicates that arrived in the segment are folded from their raw
   * readings, so that each reading counts once. Resolves to false if some of these may have been deleted before: then
   * the segment must be folded again without `isPure`, and is not pure.
   */
  foldSegment(fold: {
    readonly level: number;
    readonly sinceMs: number;
    readonly toMs: number;
    readonly isPure: boolean;
  }): Promise<boolean>;

  /**
   * Returns at most `limit` windows with duplicates that no repair covers, whose last one arrived in
   * [lastDuplicateSinceMs, frontierMs), the oldest first; only windows that start at or after `rawKeptSinceMs`.
   */
  findDuplicateWindows(search: {
    readonly lastDuplicateSinceMs: number;
    readonly frontierMs: number;
    readonly rawKeptSinceMs: number;
    readonly limit: number;
  }): Promise<readonly DuplicateWindow[]>;
  /**
   * Repairs the windows of the span from all their raw readings that arrived before `throughMs`. Skips windows whose
   * raw readings may have been deleted by the time they were read.
   */
  repair(span: RepairSpan, throughMs: number): Promise<void>;

  /** Publishes the state of the window job and the aggregator. */
  writeStatus(status: Omit<AggregatorStatusDocument, "_id">): Promise<void>;

  /** Returns the start of a checkpoint, stored at its first use; `first` computes it then. */
  rememberCheckpoint(identity: string, first: () => Promise<CheckpointStart>): Promise<CheckpointStart>;
  /** What is remembered of a checkpoint; undefined before its first use. */
  readCheckpoint(
    identity: string,
  ): Promise<(CheckpointStart & { readonly checked?: PartitionOffsets | undefined }) | undefined>;
  /** Remembers how far the batches of a checkpoint are checked. */
  rememberChecked(identity: string, checked: PartitionOffsets): Promise<void>;

  /**
   * Marks windows whose partials lack messages that arrived before the frontier, at any level: each is answered from
   * the finest level, and there from raw readings until it is repaired at a later frontier. Durable when it
   * resolves; repeating it costs another repair. The coarse levels must be pure since a moment after 1970 only.
   */
  markLateAppends(windows: readonly LateWindow[], frontierMs: number): Promise<void>;
};

/** The start of a checkpoint. */
export type CheckpointStart = {
  /** It folds messages that arrived at or after this, ms by the log's clock; 0 for all. */
  readonly sinceMs: number;
  /** The start offsets in the messages topic, by partition. */
  readonly startingOffsets: ReadonlyMap<number, number>;
};
