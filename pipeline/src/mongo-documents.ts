import type { SensorName } from "@devicemesh/proto";
import type { Binary } from "mongodb";

// The documents of the database. Times are dates, so that they are readable and retention can use them.

/** A reading, stored once. `_id` is its identity: `device|sensor|ISO time`. */
export type MessageDocument = {
  readonly _id: string;
  readonly device_id: string;
  readonly sensor: SensorName;
  /** The time of measurement, by the device's clock. */
  readonly timestamp: Date;
  /** The value in the sensor's unit. */
  readonly value: number;
  /** The time at which the broker appended it, by the log's clock. */
  readonly arrived: Date;
  /** Its offset in its partition of the log. */
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
 * The summary of one series in one window and one segment; a duplicate counts as often as it arrived. `_id` is
 * `device|sensor|ISO window start|ISO segment start`. On the topic the times are milliseconds since 1970.
 */
export type PartialDocument = PartialFigures & {
  readonly _id: string;
  readonly device_id: string;
  readonly sensor: SensorName;
  /** Start of the window, by the device's clock. */
  readonly window_start: Date;
  /** Start of the segment, by the log's clock. */
  readonly segment_start: Date;
  /**
   * Above the finest level: the histogram of its readings, each counted once, as parts to add up; see sketch-bytes.ts of
   * query. It counts only if its parts have `count` values in all. Unset in partials of an older aggregator.
   */
  readonly sketches?: readonly Binary[];
};

/**
 * The summary of all readings of a window that arrived before `through`, each counted once. `through` is the frontier
 * of the finest level at which it was made. An empty one has only `through` and a count of 0.
 */
export type Repair = { readonly through: Date } & (
  | ({ readonly count: 0 } & Partial<PartialFigures>)
  | PartialFigures
);

/**
 * A window of a series in which a reading was repeated, or whose partials lack one: then `first_repeat` is 1970 and
 * `last_repeat` the frontier at which that was found. `_id` is `device|sensor|ISO window start`.
 */
export type DuplicateWindowDocument = {
  readonly _id: string;
  readonly device_id: string;
  readonly sensor: SensorName;
  readonly window_start: Date;
  /** The arrivals of the first and the last known duplicate, by the log's clock. */
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

/** A record that a sink rejected. `_id` is its origin: `topic/partition/offset`. */
export type DeadLetterDocument = {
  readonly _id: string;
  readonly kind: DeadLetterKind;
  /** The sink's error. */
  readonly reason: string;
  /** The stage that rejected it: VALUE_CONVERTER, TRANSFORMATION, TASK_PUT, and so on. */
  readonly stage: string;
  readonly key: string | null;
  readonly value: Binary | null;
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  /** The time at which the broker appended the rejected record. */
  readonly arrived: Date;
  /** Its series, if known; unset in documents of an older operator. */
  readonly device_id?: string;
  readonly sensor?: string;
};

/** A message that was not stored, because a reading with its identity and another value is stored. */
export type ConflictDocument = {
  readonly timestamp: Date;
  readonly stored_value: number;
  readonly refused_value: number;
  /** The time at which the broker appended the rejected message. */
  readonly arrived: Date;
};

/** The duplicates and conflicts of a series with at least one of them. `_id` is `device|sensor`. */
export type SeriesDuplicatesDocument = {
  readonly _id: string;
  readonly device_id: string;
  readonly sensor: SensorName;
  readonly duplicates: number;
  readonly conflicts: number;
  /** The latest conflicts, the newest first. */
  readonly latest_conflicts: readonly ConflictDocument[];
};

/** A series that has readings. `_id` is `device|sensor`. */
export type SeriesDocument = {
  readonly _id: string;
  readonly device_id: string;
  readonly sensor: SensorName;
};

/** The progress of the mesh; all its times only move forward. `_id` is "frontier". */
export type FrontierDocument = {
  readonly _id: "frontier";
  /** Everything that arrived earlier is in `processed_messages` or is a known duplicate. */
  readonly complete_through: Date;
  /**
   * For each level, the finest first: everything that arrived earlier is in its partials permanently. 1970 if nothing
   * is.
   */
  readonly frontiers: readonly Date[];
  /**
   * The levels above the finest count no reading twice because of duplicates that arrived at or after this time, which
   * only increases. Unset if unknown, as in a mesh that an older aggregator folded.
   */
  readonly coarse_pure_since?: Date;
  /**
   * The approximate time (to a second) at which the last message was appended, by the log's clock; null if there is
   * none.
   */
  readonly log_end: Date | null;
  /** The time of this write, by the aggregator's clock. */
  readonly updated: Date;
};

/**
 * The retention marks: the timestamps before which data may have been deleted; 1970 if nothing was. They only move
 * forward, and move before anything is deleted. `_id` is "marks"; the operator writes it. A backup must copy it last:
 * marks that are too new reduce coverage, marks that are too old make wrong answers.
 */
export type RetentionDocument = {
  readonly _id: "marks";
  /** The mark of the raw readings. */
  readonly raw: Date;
  /** The marks of the windows of each level, the finest first. */
  readonly levels: readonly Date[];
};

/**
 * The settings that cannot change while the data exists. `_id` is "mesh"; the operator writes it, and all others read
 * it.
 */
export type SettingsDocument = {
  readonly _id: "mesh";
  /** The levels of windows, the finest first. */
  readonly levels: readonly { readonly window_ms: number; readonly segment_ms: number }[];
  /** Number of partitions of the messages topic. */
  readonly partitions: number;
  /**
   * The retention of readings by their timestamp, in ms; null means unlimited. It may change, and does not show what was
   * deleted: the retention marks do.
   */
  readonly retain_raw_ms: number | null;
  /**
   * The units of stored readings, by sensor. A unit may change as long as no reading of its sensor is stored. Unset in a
   * mesh that an older operator has made: then they are those of the built-in catalog.
   */
  readonly sensor_units?: readonly SensorUnit[];
};

/** The unit of a sensor's stored values. */
export type SensorUnit = { readonly sensor: SensorName; readonly unit: string };

/** The holder of a lease. `_id` is the service's name. All times are by the database's clock. */
export type LeaseDocument = {
  readonly _id: string;
  /** Host and process, and a random part that makes it unique. */
  readonly holder: string;
  /** Expiry of the lease; the holder renews it in time. */
  readonly until: Date;
};

/** A checkpoint of the window job. `_id` is its identity: a hash of the definition of the job. */
export type CheckpointDocument = {
  readonly _id: string;
  /** The job folds messages that arrived at or after this: the frontier when it was first used. 1970 for all. */
  readonly since: Date;
  /** The start offsets in the messages topic, by partition. */
  readonly offsets: readonly number[];
  /** By partition: the messages before are in partials, or their windows are marked. Unset before the first check. */
  readonly checked?: readonly number[];
};

/** The status of the operator. `_id` is "operator". */
export type OperatorStatusDocument = {
  readonly _id: "operator";
  readonly updated: Date;
  readonly connectors: readonly {
    readonly name: string;
    /** RUNNING, PAUSED, FAILED, UNASSIGNED, or MISSING. */
    readonly state: string;
    readonly tasks: readonly { readonly id: number; readonly state: string; readonly error: string | null }[];
    /** Number of records of its topic that it has not committed yet. */
    readonly lag: number;
    /** Number of restarts of its failed tasks since the operator started. */
    readonly restarts: number;
  }[];
  /** Number of dead letters that are not read yet. */
  readonly dead_letter_lag: number;
  /** Current problems, as text; empty if there are none. */
  readonly problems: readonly string[];
};

/** The status of the window job, from the aggregator. `_id` is "aggregator". */
export type AggregatorStatusDocument = {
  readonly _id: "aggregator";
  readonly updated: Date;
  /** The leader: host and process. */
  readonly holder: string;
  /** STARTING, RUNNING, STALLED (no batch although the log grows), FAILED or AWAY (Spark is unreachable). */
  readonly state: string;
  /** Identifies the checkpoint: a hash of the definition of the job. */
  readonly checkpoint: string;
  readonly batch: number | null;
  readonly watermark: Date | null;
  readonly input_rows_per_second: number;
  readonly processed_rows_per_second: number;
  readonly batch_ms: number;
  readonly state_rows: number;
  /** What Spark dropped, since a broker's clock stepped back: the windows are marked. */
  readonly rows_dropped: number;
  /** Number of records of the messages topic that Spark has not read yet. */
  readonly lag: number;
  readonly restarts: number;
  readonly last_error: string | null;
  readonly spark_version: string | null;
  readonly problems: readonly string[];
};
