import type { DeviceMessage, Level, SensorName } from "@devicemesh/proto";
import type { BucketGrid } from "../calendar/bucket-grid.ts";
import type { ReadingPartial } from "../plan/merge.ts";
import type { Span } from "../plan/spans.ts";
import type { SeriesDuplicates } from "./latest-conflicts.ts";
import type { ReadingScans } from "./reading-scan.ts";
import type { LatestSeriesFound, LatestSeriesRequest, SeriesFound, SeriesRequest } from "./series-request.ts";
import type { StoreHorizon, StoreStatus } from "./store-status.ts";

/** A filter of series: an empty list matches all, an unknown name matches nothing. */
export type SeriesFilter = {
  readonly deviceIds: readonly string[];
  readonly sensors: readonly string[];
};

/**
 * A rectangle of readings or partials: `timestamp` (or the start of the window) in [sinceMs, toMs), and
 * `arrived` (or the start of the segment) in [arrivedSinceMs, arrivedToMs). Infinity means no bound.
 */
export type Scan = {
  readonly sinceMs: number;
  readonly toMs: number;
  readonly arrivedSinceMs: number;
  readonly arrivedToMs: number;
};

/** The reads of a plan: disjoint scans that together have each reading of the timeframe exactly once. */
export type ReadPlan = {
  /** Scans over partials, a list for each level of the store, the finest first. */
  readonly levels: readonly (readonly Scan[])[];
  /** Scans over raw readings. */
  readonly raw: readonly Scan[];
  /** The different reads of series with duplicates; undefined if there are none in the timeframe. */
  readonly duplicates?: DuplicatesPlan;
};

/** The name of a series; in a plan it may have no readings. */
export type SeriesName = { readonly deviceId: string; readonly sensor: string };

/** A span of timestamps (or of windows, by their start) of these series: [sinceMs, toMs). */
export type SeriesSpan = {
  readonly series: readonly SeriesName[];
  readonly sinceMs: number;
  readonly toMs: number;
};

/** A scan of these series only. */
export type SeriesScan = Scan & { readonly series: readonly SeriesName[] };

/** Repairs of all finest windows of a span that were made at this frontier; if they do not exist, the plan is stale. */
export type RepairScan = SeriesSpan & { readonly throughMs: number };

/**
 * The reads of windows with duplicates. `except` is removed from the scans of the plan itself; the scans here are
 * additional and unchanged.
 */
export type DuplicatesPlan = {
  readonly except: {
    /** The parts that the plan's scans over partials leave out, for each level, the finest first. */
    readonly levels: readonly (readonly SeriesSpan[])[];
    /** The parts that the plan's scans over raw readings leave out. */
    readonly raw: readonly SeriesSpan[];
  };
  readonly levels: readonly (readonly SeriesScan[])[];
  readonly raw: readonly SeriesScan[];
  readonly repairs: readonly RepairScan[];
};

/**
 * A finest window of a series with duplicates: its partials may count a reading more than once. Its raw readings never
 * do, nor does its repair, which includes everything that arrived before it was made.
 */
export type DuplicateWindow = SeriesName & {
  /** The start of the window. */
  readonly windowMs: number;
  /** The end of a span of windows, any of which may have duplicates; unset for one window. */
  readonly toMs?: number | undefined;
  /** The arrivals of the first and the last known duplicate, by the log's clock. */
  readonly firstDuplicateMs: number;
  readonly lastDuplicateMs: number;
  /** The frontier of the finest level at which it was last repaired; undefined if it never was. */
  readonly repairThroughMs?: number | undefined;
};

/** The windows with duplicates to read; see `ReadingStore.readDuplicateWindows`. */
export type DuplicateWindowsRequest = Span & {
  readonly filter: SeriesFilter;
  readonly relevant?: { readonly sinceMs: number; readonly beforeMs: number } | undefined;
};

/** The known windows with duplicates of a store. */
export type DuplicateWindowsFound = {
  /** In any order; each window is in at most one of them. */
  readonly windows: readonly DuplicateWindow[];
  /** Set if too many series have duplicates to list them: any window of any series that starts in this span may have some. */
  readonly everySeries?: (Span & { readonly firstDuplicateMs: number }) | undefined;
};

/** A partial of one series and, if buckets were requested, one bucket. */
export type SeriesPartial = ReadingPartial & {
  readonly deviceId: string;
  readonly sensor: SensorName;
  /** The start of the bucket, or 0 without buckets. */
  readonly bucketMs: number;
  /** Number of `count` that came from raw readings. */
  readonly fromRaw: number;
  /** If devices are merged: the devices of `first` and `last`. */
  readonly firstDeviceId?: string;
  readonly lastDeviceId?: string;
};

/** The result of a plan's scans. */
export type PartialsRead = {
  readonly partials: readonly SeriesPartial[];
  readonly completeThroughMs: number;
  /** There are at least this many partials, more than requested; none is returned. */
  readonly tooMany?: number;
  /** A repair in the plan has been replaced since the duplicates were read: plan again, because this is not exact. */
  readonly isStale?: boolean;
};

/** A position in the order (timestamp, device_id, sensor). */
export type ReadingKey = Omit<DeviceMessage, "value">;

/**
 * The store's reads. Every method takes a signal: when it aborts, the method soon rejects with the signal's reason and
 * holds nothing.
 * All methods throw RpcError UNAVAILABLE if the store is unreachable or closed.
 */
export type ReadingStore = ReadingScans & {
  /** The levels of windows, the finest first; at least one. */
  readonly levels: readonly Level[];
  /** Whether each read takes a round trip. If so, answers read partials while they read the duplicates. */
  readonly isRemote: boolean;

  /** Returns the progress of the store; may be up to a second old. */
  readHorizon(signal: AbortSignal): Promise<StoreHorizon>;

  /**
   * Returns the finest windows with duplicates that start in [sinceMs, toMs), of series that match the filter. With
   * `relevant`, only those with a duplicate that arrived at or after `sinceMs` or before `beforeMs` must be among them.
   * The planner reads the horizon first: then every duplicate that arrived before its frontier is among them. A store
   * that rejects duplicates when it commits has none. The result is bounded, whatever the number of windows: one
   * span then represents all windows of a series, or of all series.
   */
  readDuplicateWindows(request: DuplicateWindowsRequest, signal: AbortSignal): Promise<DuplicateWindowsFound>;

  /**
   * Returns the result of the plan's scans for each series that matches the filter, and for each bucket if there are
   * any: then no scan exceeds them, and no window that it finds crosses the boundary of one. There may be several
   * partials of one series and bucket; the caller merges them. Each reading counts at most once, and each that arrived
   * before `completeThroughMs` counts; of later arrivals, some may count.
   *
   * With `mergeDevices` a store may merge the partials of all devices of a sensor (and bucket): `deviceId` is then
   * empty, and `firstDeviceId` and `lastDeviceId` are set (of equal times, the smallest device_id). With `partialsMax`,
   * a store may return none and `tooMany` if there are more: unusable rows are not read.
   */
  readPartials(
    request: {
      readonly plan: ReadPlan;
      readonly filter: SeriesFilter;
      readonly buckets?: BucketGrid;
      readonly mergeDevices?: boolean;
      readonly partialsMax?: number;
    },
    signal: AbortSignal,
  ): Promise<PartialsRead>;

  /**
   * Returns at most `limit` raw readings of [sinceMs, toMs) in the order (timestamp, device_id, sensor), or its reverse
   * if `descending`; device_id and sensor in the order of their UTF-16 code units (all are ASCII). With `after`, only
   * those after that position in the requested order.
   */
  readReadings(
    request: {
      readonly filter: SeriesFilter;
      readonly sinceMs: number;
      readonly toMs: number;
      readonly descending: boolean;
      readonly after?: ReadingKey;
      readonly limit: number;
    },
    signal: AbortSignal,
  ): Promise<readonly DeviceMessage[]>;

  /**
   * Returns at most `limit` series that match the filter and the search in the order (device_id, sensor), those after
   * `after` if given; and the number of all matches.
   */
  readSeries(request: SeriesRequest, signal: AbortSignal): Promise<SeriesFound>;

  /** The same by latest readings, for a store that keeps those of all series in memory. */
  readLatestSeries?(request: LatestSeriesRequest, signal: AbortSignal): Promise<LatestSeriesFound>;

  /**
   * Returns at most `limit` series that match the filter and had duplicates or conflicts, in the order (device_id,
   * sensor), those after `after` if given. In a durable store the counts survive a restart.
   */
  readDuplicates(
    request: {
      readonly filter: SeriesFilter;
      readonly after?: SeriesName;
      readonly limit: number;
    },
    signal: AbortSignal,
  ): Promise<readonly SeriesDuplicates[]>;

  /** Returns the counts and the progress of the store. */
  readStatus(signal: AbortSignal): Promise<StoreStatus>;

  /**
   * Yields whenever readings were stored since the last yield (coalesced: a slow consumer gets one yield for many
   * changes, and nothing queues up). Ends when the signal aborts or the store closes.
   */
  watchChanges(signal: AbortSignal): AsyncIterable<void>;

  /** Returns a number that changes once a reading that matches the filter is stored; undefined if that is not known at once. */
  lastChangeOf?(filter: SeriesFilter): number | undefined;
};
