import type { RefusedReading } from "@devicemesh/proto/tsproto/devicemesh/v1/refused_reading.ts";
import type { Place, Refusal } from "./tally.ts";

/** The progress of an import. */
export type ImportProgress = {
  /** The input that is being read. */
  readonly file: string;
  readonly rows: number;
  /** Readings that ingest has acknowledged as durably stored. */
  readonly acknowledged: number;
  readonly acknowledgedPerSecond: number;
  readonly bytesRead: number;
  /** The total of all inputs; undefined if the size of one is unknown. */
  readonly bytesTotal: number | undefined;
  readonly elapsedMs: number;
  /** Why ingest is unavailable at the moment; undefined if it is available. */
  readonly trouble: string | undefined;
};

/**
 * The outcome of every value of the recordings: values = stored + duplicates + conflicts + resent + missing +
 * unknownSensor + refused + badRows + unsent. A dry run counts as stored what it would have stored.
 */
export type ImportReport = {
  /**
   * `complete`: every reading was answered. `failed`: an input is damaged; the readings before the damage are counted.
   */
  readonly ended: "complete" | "interrupted" | "gave-up" | "failed";
  /** The reason if it is not complete. */
  readonly problem: string | undefined;
  readonly isDryRun: boolean;
  readonly files: number;
  readonly rows: number;
  /** Number of cells that contain, or could contain, a value of a sensor; an unreadable row counts as one. */
  readonly values: number;
  /** Durably stored, each identity once: by this import if `areEarlierLoadsKnown`, else by this one or before. */
  readonly stored: number;
  /**
   * Readings that occur earlier in the recordings with the same value, or, if `areEarlierLoadsKnown`, that were stored
   * before the import: stored once.
   */
  readonly duplicates: number;
  /** The same with another value: the first one stays. */
  readonly conflicts: number;
  /**
   * They were sent again because an answer of ingest was lost, and were stored before: by the attempt without an answer,
   * or before that.
   */
  readonly resent: number;
  /** Whether ingest has answered which readings were stored before. On the real engines this is found later. */
  readonly areEarlierLoadsKnown: boolean;
  readonly missing: number;
  readonly unknownSensor: number;
  /** Values that break a rule, by this program's checks or ingest's. */
  readonly refused: number;
  /** Unreadable rows. */
  readonly badRows: number;
  /** Readings that ingest has not answered; 0 if it is complete. */
  readonly unsent: number;
  /** Readings that may be duplicates, because the disk for temporary files is full; counted as stored. */
  readonly unchecked: number;
  readonly unknownSensors: readonly { readonly name: string; readonly count: number }[];
  readonly refusals: readonly Refusal[];
  /** The first readings that ingest rejected. */
  readonly refusedByIngest: readonly RefusedReading[];
  /** The first conflicts. */
  readonly conflictPlaces: readonly Place[];
  /** Number of ambiguous local times, by their resolution. */
  readonly repeatedTimes: { readonly first: number; readonly second: number };
  readonly elapsedMs: number;
};
