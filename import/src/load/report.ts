import type { RefusedReading } from "@devicemesh/proto/tsproto/devicemesh/v1/refused_reading.ts";
import type { Place, Refusal } from "./tally.ts";

/** How far an import is. */
export type ImportProgress = {
  /** The input that is being read. */
  readonly file: string;
  readonly rows: number;
  /** Readings that ingest has acknowledged as durably stored. */
  readonly acknowledged: number;
  readonly acknowledgedPerSecond: number;
  readonly bytesRead: number;
  /** Of all inputs; undefined if one of them does not know. */
  readonly bytesTotal: number | undefined;
  readonly elapsedMs: number;
  /** Why ingest is unavailable at the moment; undefined if it is not. */
  readonly trouble: string | undefined;
};

/**
 * What became of every value of the recordings: values = stored + duplicates + conflicts + missing + unknownSensor +
 * refused + badRows + unsent. A dry run counts as stored what would be.
 */
export type ImportReport = {
  /** `complete`: every reading was answered. `failed`: an input is damaged; what came before is counted. */
  readonly ended: "complete" | "interrupted" | "gave-up" | "failed";
  /** Why, if it is not complete. */
  readonly problem: string | undefined;
  readonly isDryRun: boolean;
  readonly files: number;
  readonly rows: number;
  /** Cells that hold, or could hold, a value of a sensor; a row of which nothing can be read counts as one. */
  readonly values: number;
  /** Durably stored, each identity once. */
  readonly stored: number;
  /** They come earlier in the recordings with the same value: stored once. */
  readonly duplicates: number;
  /** They come earlier with another value: the first one is stored. */
  readonly conflicts: number;
  readonly missing: number;
  readonly unknownSensor: number;
  /** Values that break a rule, by this program's checks or ingest's. */
  readonly refused: number;
  /** Rows of which nothing can be read. */
  readonly badRows: number;
  /** Readings without an answer of ingest; 0 if it is complete. */
  readonly unsent: number;
  /** Readings of which it is not known whether they come again, because there are too many; counted as stored. */
  readonly unchecked: number;
  readonly unknownSensors: readonly { readonly name: string; readonly count: number }[];
  readonly refusals: readonly Refusal[];
  /** The first ones that ingest refused. */
  readonly refusedByIngest: readonly RefusedReading[];
  /** The first conflicts. */
  readonly conflictPlaces: readonly Place[];
  /** Local times that come twice, by which of the two they were taken for. */
  readonly repeatedTimes: { readonly first: number; readonly second: number };
  readonly elapsedMs: number;
};
