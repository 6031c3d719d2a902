import type { SensorName } from "@devicemesh/proto";
import type { Binary } from "mongodb";

// The documents of the database. Times are dates, so that people can read them and retention can act on them.

/** A reading, once. `_id` is its identity: `device|sensor|ISO time`. */
export type MessageDocument = {
  readonly _id: string;
  readonly device_id: string;
  readonly sensor: SensorName;
  /** The device's clock. */
  readonly timestamp: Date;
  /** In the sensor's unit. */
  readonly value: number;
  /** The log's clock: when the broker appended it. */
  readonly arrived: Date;
  /** Its place in its partition of the log. */
  readonly offset: number;
};

/** The figures of a partial; see ReadingPartial in query. */
export type PartialFigures = {
  readonly count: number;
  readonly sum: number;
  readonly minimum: number;
  readonly minimum_at: Date;
  readonly maximum: number;
  readonly maximum_at: Date;
  readonly first_at: Date;
  readonly first_value: number;
  readonly last_at: Date;
  readonly last_value: number;
  /** The sum of squared distances from the mean. */
  readonly m2: number;
};

/**
 * What one series' readings of one window and one segment add up to, repeats counted as often as they came.
 * `_id` is `device|sensor|ISO window start|ISO segment start`. On the topic the times are milliseconds since 1970.
 */
export type PartialDocument = PartialFigures & {
  readonly _id: string;
  readonly device_id: string;
  readonly sensor: SensorName;
  /** Where the window starts, by the device's clock. */
  readonly window_start: Date;
  /** Where the segment starts, by the log's clock. */
  readonly segment_start: Date;
};

/**
 * What all readings of a window that arrived before `through` add up to, repeats counted once. `through` is the
 * frontier of the finest level at which it was made. Of an empty one only `through` and a count of 0.
 */
export type Repair = { readonly through: Date } & (
  | ({ readonly count: 0 } & Partial<PartialFigures>)
  | PartialFigures
);

/**
 * A window of a series in which a reading was repeated, or whose partials lack one: then `first_repeat` is 1970 and
 * `last_repeat` the frontier at which that was found. `_id` is `device|sensor|ISO window start`.
 */
export type WindowRepeatsDocument = {
  readonly _id: string;
  readonly device_id: string;
  readonly sensor: SensorName;
  readonly window_start: Date;
  /** When the first and the last repeat that is known arrived, by the log's clock. */
  readonly first_repeat: Date;
  readonly last_repeat: Date;
  readonly repair?: Repair;
};

/** Why a record of the log did not become a document. */
export const deadLetterKinds = ["duplicate", "conflict", "redelivery", "invalid"] as const;

/**
 * - duplicate: its identity was stored before, with the same value
 * - conflict: its identity was stored before, with another value
 * - redelivery: the stored reading itself, delivered again
 * - invalid: it breaks a rule
 */
export type DeadLetterKind = (typeof deadLetterKinds)[number];

/** A record that a sink refused. `_id` is its origin: `topic/partition/offset`. */
export type DeadLetterDocument = {
  readonly _id: string;
  readonly kind: DeadLetterKind;
  /** What the sink said. */
  readonly reason: string;
  /** Where it was refused: VALUE_CONVERTER, TRANSFORMATION, TASK_PUT, and so on. */
  readonly stage: string;
  readonly key: string | null;
  readonly value: Binary | null;
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  /** When the broker appended the refused record. */
  readonly arrived: Date;
  /** Of which series it is, where that is known; unset in those that an older operator stored. */
  readonly device_id?: string;
  readonly sensor?: string;
};

/** A message that was not stored, because a reading of its identity with another value is. */
export type ConflictDocument = {
  readonly timestamp: Date;
  readonly stored_value: number;
  readonly refused_value: number;
  /** When the broker appended the refused one. */
  readonly arrived: Date;
};

/** The duplicates and conflicts of a series that had any. `_id` is `device|sensor`. */
export type SeriesDuplicatesDocument = {
  readonly _id: string;
  readonly device_id: string;
  readonly sensor: SensorName;
  readonly duplicates: number;
  readonly conflicts: number;
  /** The newest first, a few. */
  readonly latest_conflicts: readonly ConflictDocument[];
};

/** A series that has readings. `_id` is `device|sensor`. */
export type SeriesDocument = {
  readonly _id: string;
  readonly device_id: string;
  readonly sensor: SensorName;
};

/** How far the mesh is; all its times only move forward. `_id` is "frontier". */
export type FrontierDocument = {
  readonly _id: "frontier";
  /** Everything that arrived before is in `processed_messages` or is a known repeat. */
  readonly complete_through: Date;
  /** For each level, the finest first: everything that arrived before is in its partials permanently. 1970 if nothing is. */
  readonly frontiers: readonly Date[];
  /**
   * The levels above the finest count no reading twice because of repeats that arrived at or after this; it only
   * grows. Unset as long as nothing is known of it, as in a mesh that was folded by an older aggregator.
   */
  readonly coarse_pure_since?: Date;
  /** About when (to a second) the last message was appended, by the log's clock; null if there is none. */
  readonly log_end: Date | null;
  /** When this was written, by the aggregator's clock. */
  readonly updated: Date;
};

/**
 * The retention marks: the timestamps before which data may ever have been deleted; 1970 if nothing was. They only
 * move forward, and move before anything is deleted. `_id` is "marks"; written by the operator. In a backup it is
 * copied last: marks that are too new cost coverage, marks that are too old make wrong answers.
 */
export type RetentionDocument = {
  readonly _id: "marks";
  /** Of the raw readings. */
  readonly raw: Date;
  /** Of the windows of each level, the finest first. */
  readonly levels: readonly Date[];
};

/** What cannot change while the data lives. `_id` is "mesh"; written by the operator, read by all others. */
export type SettingsDocument = {
  readonly _id: "mesh";
  /** The levels of windows, the finest first. */
  readonly levels: readonly { readonly window_ms: number; readonly segment_ms: number }[];
  /** The partitions of the messages topic. */
  readonly partitions: number;
  /**
   * How long readings are kept by their timestamp, in ms; null for ever. The one thing here that may change. What
   * was deleted is not to be concluded from it: the retention marks tell.
   */
  readonly retain_raw_ms: number | null;
};

/** Who is active. `_id` is the service's name. All times are by the database's clock. */
export type LeaseDocument = {
  readonly _id: string;
  /** Host and process; and something random, so that no two are the same. */
  readonly holder: string;
  /** Until when it counts; the holder renews it in time. */
  readonly until: Date;
};

/** A checkpoint of the window job. `_id` is its identity: a hash of what the job means. */
export type CheckpointDocument = {
  readonly _id: string;
  /** It folds what arrived at or after this: the frontier when it was first used. 1970 for everything. */
  readonly since: Date;
  /** Where that begins in the messages topic, by partition. */
  readonly offsets: readonly number[];
  /** By partition: the messages before are in partials, or their windows are marked. Unset before the first check. */
  readonly checked?: readonly number[];
};

/** What the operator says. `_id` is "operator". */
export type OperatorStatusDocument = {
  readonly _id: "operator";
  readonly updated: Date;
  readonly connectors: readonly {
    readonly name: string;
    /** RUNNING, PAUSED, FAILED, UNASSIGNED, or MISSING. */
    readonly state: string;
    readonly tasks: readonly { readonly id: number; readonly state: string; readonly error: string | null }[];
    /** How many records of its topic it has not committed yet. */
    readonly lag: number;
    /** How often the operator restarted failed tasks of it since it was started. */
    readonly restarts: number;
  }[];
  /** How many dead letters are not read yet. */
  readonly dead_letter_lag: number;
  /** What is wrong, in words; empty if nothing is. */
  readonly problems: readonly string[];
};

/** What the aggregator says of the window job. `_id` is "aggregator". */
export type AggregatorStatusDocument = {
  readonly _id: "aggregator";
  readonly updated: Date;
  /** Who is active: host and process. */
  readonly holder: string;
  /** STARTING, RUNNING, STALLED (no batch although the log grows), FAILED or AWAY (Spark cannot be reached). */
  readonly state: string;
  /** Identifies the checkpoint: a hash of what the job means. */
  readonly checkpoint: string;
  readonly batch: number | null;
  readonly watermark: Date | null;
  readonly input_rows_per_second: number;
  readonly processed_rows_per_second: number;
  readonly batch_ms: number;
  readonly state_rows: number;
  /** What Spark dropped, since a broker's clock stepped back: the windows are marked. */
  readonly rows_dropped: number;
  /** Records of the messages topic that Spark has not taken yet. */
  readonly lag: number;
  readonly restarts: number;
  readonly last_error: string | null;
  readonly spark_version: string | null;
  readonly problems: readonly string[];
};
