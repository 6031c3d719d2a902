import type { AggregatorStatusDocument } from "@devicemesh/pipeline";
import type { Level } from "@devicemesh/proto";
import type { RepairSpan, RepeatedWindow } from "../repairs/repair-choice.ts";

/** How far the mesh is, as published. Times are ms by the log's clock. */
export type PublishedFrontier = {
  /** 0 if nothing is known. */
  readonly completeThroughMs: number;
  /** For each level, the finest first; 0 if nothing is folded. */
  readonly frontiersMs: readonly number[];
  /** The levels above the finest are pure for repeats that arrived since; undefined if that is not known. */
  readonly coarsePureSinceMs?: number | undefined;
  readonly logEndMs: number | undefined;
};

/** What was fixed when the mesh was made. */
export type MeshSettings = {
  readonly levels: readonly Level[];
  readonly partitions: number;
};

/** What the aggregator does in the database. Each method rejects when the database is away or too slow. */
export type AggregatorStore = {
  /** The settings of the mesh; undefined until the operator has made it. */
  readSettings(): Promise<MeshSettings | undefined>;

  /** Raw readings with an earlier timestamp (ms) may ever have been deleted; -Infinity if none was. */
  readRawKeptSince(): Promise<number>;

  readFrontier(): Promise<PublishedFrontier>;
  /** Publishes what moved forward; what would go back stays as it is. Durable when it resolves. */
  publishFrontier(moved: {
    readonly completeThroughMs?: number | undefined;
    readonly logEndMs?: number | undefined;
    readonly coarsePureSinceMs?: number | undefined;
    readonly level?: { readonly level: number; readonly frontierMs: number };
  }): Promise<void>;

  /** Registers the series of the finest partials of the segments in [sinceMs, toMs). Repeating it changes nothing. */
  registerSeries(span: { readonly sinceMs: number; readonly toMs: number }): Promise<void>;

  /** The first segment at or after `sinceMs` that has a partial at this level; undefined if none has. */
  firstSegment(level: number, sinceMs: number): Promise<number | undefined>;
  /**
   * Folds the partials of the level below of one segment [sinceMs, toMs) of `level`. Repeating it changes
   * nothing. With `isPure` (for the second level) devices with repeats that arrived in the segment are folded from
   * their raw readings, which count each reading once. Resolves to false if some of these may have been deleted
   * before: then the segment is to be folded again without `isPure`, and is not pure.
   */
  foldSegment(fold: {
    readonly level: number;
    readonly sinceMs: number;
    readonly toMs: number;
    readonly isPure: boolean;
  }): Promise<boolean>;

  /**
   * At most `limit` windows with repeats that no repair covers, whose last one arrived in
   * [lastRepeatSinceMs, frontierMs), the oldest first; only windows that start at or after `rawKeptSinceMs`.
   */
  findRepeated(search: {
    readonly lastRepeatSinceMs: number;
    readonly frontierMs: number;
    readonly rawKeptSinceMs: number;
    readonly limit: number;
  }): Promise<readonly RepeatedWindow[]>;
  /**
   * Repairs the windows of the span from all their raw readings that arrived before `throughMs`. Windows whose raw
   * readings may have been deleted by the time they were read are left alone.
   */
  repair(span: RepairSpan, throughMs: number): Promise<void>;

  /** Says what the window job and the aggregator are doing. */
  writeStatus(status: Omit<AggregatorStatusDocument, "_id">): Promise<void>;

  /** What a checkpoint folds, remembered since its first use; `first` makes it up at that. */
  rememberCheckpoint(identity: string, first: () => Promise<CheckpointStart>): Promise<CheckpointStart>;
};

/** From where on a checkpoint folds. */
export type CheckpointStart = {
  /** It folds what arrived at or after this, ms by the log's clock; 0 for everything. */
  readonly sinceMs: number;
  /** Where that begins in the messages topic, by partition. */
  readonly startingOffsets: ReadonlyMap<number, number>;
};
