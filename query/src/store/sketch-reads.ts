import type { SensorName } from "@devicemesh/proto";
import type { BucketGrid } from "../calendar/bucket-grid.ts";
import type { Span } from "../plan/spans.ts";
import type { Sketch } from "../quantiles/sketch-quantiles.ts";
import type { ReadPlan, SeriesFilter } from "./reading-store.ts";

/** Partials from this level on have sketches; a finest window holds too few readings for one. */
export const firstSketchedLevel = 1;

/** The sketch of the values of one series and, if buckets were requested, one bucket. */
export type SeriesSketch = {
  /** Empty if devices are merged. */
  readonly deviceId: string;
  readonly sensor: SensorName;
  /** The start of the bucket, or 0 without buckets. */
  readonly bucketMs: number;
  readonly sketch: Sketch;
};

/** The sketches of a plan's scans. */
export type SketchesRead = {
  /** There may be several of one series and bucket; the caller merges them. */
  readonly sketches: readonly SeriesSketch[];
  /** Spans with partials without a sketch whose raw readings may have expired: sketches may lack their readings. */
  readonly notCovered: readonly Span[];
};

/** The part of a reading store for sketches; see `ReadingStore` for signals and errors. */
export type SketchReads = {
  /**
   * Returns the sketches of the scans of a plan that reads no level below `firstSketchedLevel`, for each series that
   * matches the filter and for each bucket. Raw readings stand in for partials that were stored without a sketch. With
   * `mergeDevices` there is one for all devices of a sensor. Each reading counts once, duplicates do not.
   */
  readSketches(
    request: {
      readonly plan: Pick<ReadPlan, "levels" | "raw">;
      readonly filter: SeriesFilter;
      readonly buckets?: BucketGrid | undefined;
      readonly mergeDevices: boolean;
    },
    signal: AbortSignal,
  ): Promise<SketchesRead>;
};
