import type { DeviceMessage, Level, SensorName } from "@devicemesh/proto";
import type { BucketGrid } from "../calendar/bucket-grid.ts";
import type { ReadingPartial } from "../plan/partial.ts";
import type { Span } from "../plan/spans.ts";
import type { SeriesDuplicates } from "./latest-conflicts.ts";
import type { ReadingScans } from "./reading-scan.ts";
import type { LatestSeriesFound, LatestSeriesRequest, SeriesFound, SeriesRequest } from "./series-request.ts";

/** Which series: an empty list means all, an unknown name matches nothing. */
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

/** What to read: disjoint scans that together hold each reading of the timeframe exactly once. */
export type ReadPlan = {
  /** Scans over partials, a list for each level of the store, the finest first. */
  readonly levels: readonly (readonly Scan[])[];
  /** Scans over raw readings. */
  readonly raw: readonly Scan[];
  /** What is read otherwise for series with repeats; undefined if there are none in the timeframe. */
  readonly repeats?: RepeatsPlan;
};

/** The name of a series; in a plan it need not have readings. */
export type SeriesName = { readonly deviceId: string; readonly sensor: string };

/** A span of timestamps (or of windows, by their start) of these series: [sinceMs, toMs). */
export type SeriesSpan = {
  readonly series: readonly SeriesName[];
  readonly sinceMs: number;
  readonly toMs: number;
};

/** A scan of these series only. */
export type SeriesScan = Scan & { readonly series: readonly SeriesName[] };

/** Repairs of all finest windows of a span that were made at this frontier; they are there, or the plan is stale. */
export type RepairScan = SeriesSpan & { readonly throughMs: number };

/**
 * How the windows with repeats are read. What `except` names is taken out of the scans of the plan itself; the
 * scans here are read in addition, as they are.
 */
export type RepeatsPlan = {
  readonly except: {
    /** What the plan's scans over partials leave out, for each level, the finest first. */
    readonly levels: readonly (readonly SeriesSpan[])[];
    /** What the plan's scans over raw readings leave out. */
    readonly raw: readonly SeriesSpan[];
  };
  readonly levels: readonly (readonly SeriesScan[])[];
  readonly raw: readonly SeriesScan[];
  readonly repairs: readonly RepairScan[];
};

/**
 * A finest window of a series in which a reading was repeated: its partials may count the reading more than
 * once. Its raw readings never do, nor does its repair, which stands for all that arrived before it was made.
 */
export type WindowRepeats = SeriesName & {
  /** The start of the window. */
  readonly windowMs: number;
  /** The end of a span of windows, any of which may have repeats; unset for one window. */
  readonly toMs?: number | undefined;
  /** When the first and the last repeat that is known arrived, by the log's clock. */
  readonly firstRepeatMs: number;
  readonly lastRepeatMs: number;
  /** The frontier of the finest level at which it was repaired last; undefined if it never was. */
  readonly repairThroughMs?: number | undefined;
};

/** Which windows with repeats to read; see `ReadingStore.readRepeats`. */
export type RepeatsRequest = Span & {
  readonly filter: SeriesFilter;
  readonly relevant?: { readonly sinceMs: number; readonly beforeMs: number } | undefined;
};

/** The windows with repeats that a store knows. */
export type RepeatsFound = {
  /** In any order; each window is in one of them at most. */
  readonly windows: readonly WindowRepeats[];
  /** Set if too many series have repeats to list them: any window of any series that starts in this span may have some. */
  readonly everySeries?: (Span & { readonly firstRepeatMs: number }) | undefined;
};

/** How far the store is, read together. An older horizon is as right as a newer one. */
export type StoreHorizon = {
  /** Everything that arrived before this moment is in the store. */
  readonly completeThroughMs: number;
  /** For each level, the finest first: everything that arrived before is in its partials permanently; a multiple of its segmentMs, never growing from one level to the next coarser. 0 if nothing is. */
  readonly frontiersMs: readonly number[];
  /** For each level: partials of windows that start earlier may have expired (a multiple of the next coarser level's window); -Infinity if all are kept. Never growing towards coarser levels. */
  readonly levelsKeptSinceMs: readonly number[];
  /**
   * The levels above the finest are pure for repeats that arrived at or after this moment: their partials count no
   * reading twice because of them. Infinity or unset if they never are.
   */
  readonly coarsePureSinceMs?: number | undefined;
  /** Raw readings with an earlier timestamp may have expired (a multiple of the finest level's window); -Infinity if all are kept. */
  readonly rawKeptSinceMs: number;
};

/** A partial of one series and, where buckets were asked for, one bucket. */
export type SeriesPartial = ReadingPartial & {
  readonly deviceId: string;
  readonly sensor: SensorName;
  /** The start of the bucket, or 0 where no buckets were asked for. */
  readonly bucketMs: number;
  /** How many of `count` came from raw readings. */
  readonly fromRaw: number;
  /** Where devices are merged: of which device `first` and `last` are. */
  readonly firstDeviceId?: string;
  readonly lastDeviceId?: string;
};

/** What a plan's scans add up to. */
export type PartialsRead = {
  readonly partials: readonly SeriesPartial[];
  readonly completeThroughMs: number;
  /** There are at least so many partials, more than were asked for; none is given. */
  readonly tooMany?: number;
  /** A repair that the plan names has been made again since the repeats were read: plan again, this is not exact. */
  readonly isStale?: boolean;
};

/** A place in the order (timestamp, device_id, sensor). */
export type ReadingKey = Omit<DeviceMessage, "value">;

/** How many, how far, and what it has seen; see PipelineStatus in the contract. */
export type StoreStatus = {
  /** The append time of the last message, or undefined if there is none. */
  readonly logEndMs: number | undefined;
  readonly horizon: StoreHorizon;
  /** For each level, the finest first. */
  readonly partialCounts: readonly number[];
  readonly storedReadings: number;
  readonly series: number;
  readonly duplicates: number;
  readonly conflicts: number;
  /** Readings stored a second, over the last ten seconds. */
  readonly storedPerSecond: number;
  readonly diskBytes: number;
  /** Versions of the engines, by name. */
  readonly versions: Readonly<Record<string, string>>;
  /** Readings refused by ingest since it was started, if this store can know. */
  readonly refused: number | undefined;
  /** What is wrong with the store itself, in words; left out if it knows of nothing. */
  readonly problems?: readonly string[];
  /** Where parts of their own fill the store: what they say. Undefined where nothing lies between log and store. */
  readonly parts?: StoreParts;
};

/** What the parts between the log and the store say; see PipelineStatus in the contract. */
export type StoreParts = {
  /** Who reports, and when it last did, ms since 1970 by its own clock; undefined if it never did. */
  readonly reports: readonly { readonly name: string; readonly reportedMs: number | undefined }[];
  readonly deadLetters: readonly { readonly kind: string; readonly count: number }[];
  readonly connectors: readonly ConnectorReport[];
  /** Undefined before it was first reported. */
  readonly windowJob: WindowJobReport | undefined;
  /** Windows with repeats that are answered from raw readings, and those that are answered from repairs. */
  readonly dirtyWindows: number;
  readonly repairedWindows: number;
  /** What is wrong, in the parts' own words. */
  readonly problems: readonly string[];
};

/** A connector between the log and the store. */
export type ConnectorReport = {
  readonly name: string;
  readonly state: string;
  readonly tasks: readonly { readonly id: number; readonly state: string; readonly error: string }[];
  readonly lag: number;
  readonly restarts: number;
};

/** The job that folds windows. */
export type WindowJobReport = {
  readonly state: string;
  readonly checkpoint: string;
  readonly batch: number | undefined;
  readonly watermarkMs: number | undefined;
  readonly inputRowsPerSecond: number;
  readonly processedRowsPerSecond: number;
  readonly batchMs: number;
  readonly stateRows: number;
  readonly rowsDropped: number;
  readonly lag: number;
  readonly restarts: number;
  readonly lastError: string;
  readonly observedMs: number;
};

/**
 * The store's reads. Every method takes a signal: when it aborts, the method rejects soon with the
 * signal's reason and holds nothing.
 * All methods throw RpcError UNAVAILABLE if the store cannot be reached or is closed.
 */
export type ReadingStore = ReadingScans & {
  /** The levels of windows, the finest first; at least one. */
  readonly levels: readonly Level[];

  /** How far the store is; may be up to a second old. */
  readHorizon(signal: AbortSignal): Promise<StoreHorizon>;

  /**
   * The finest windows that start in [sinceMs, toMs) of series that match the filter, and in which a reading
   * was repeated. With `relevant`, only those with a repeat that arrived at or after `sinceMs` or before `beforeMs`
   * need be among them. Whoever plans reads the horizon first: then every repeat that arrived before
   * its frontier is among them. A store that refuses repeats as it commits has none, ever. The result is bounded,
   * however many windows there are: one span then stands for all windows of a series, or of all series.
   */
  readRepeats(request: RepeatsRequest, signal: AbortSignal): Promise<RepeatsFound>;

  /**
   * What the plan's scans add up to for each series that matches the filter, and for each bucket if there are any: then
   * no scan reaches beyond them, nor a window that it finds over the border of one. There may be several partials of one series and bucket; the caller
   * merges. Each reading counts at most once, and each that arrived before `completeThroughMs` does; of those
   * that arrive while it reads, some may count.
   *
   * With `mergeDevices` a store may merge the partials of all devices of a sensor (and bucket): `deviceId` is then
   * empty, and `firstDeviceId` and `lastDeviceId` are set (of equal times, the smallest device_id). With
   * `partialsMax`, a store may give none and `tooMany` if there are more: unusable rows are not read.
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
   * At most `limit` raw readings of [sinceMs, toMs) in the order (timestamp, device_id, sensor), or its
   * reverse if `descending`; device_id and sensor in the order of their UTF-16 code units (all are ASCII).
   * With `after`, only those that come after that place in the order asked for.
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
   * At most `limit` series that match the filter and the search in the order (device_id, sensor), those after
   * `after` if given; and how many match in all.
   */
  readSeries(request: SeriesRequest, signal: AbortSignal): Promise<SeriesFound>;

  /** The same by latest readings, for a store that keeps those of all series at hand. */
  readLatestSeries?(request: LatestSeriesRequest, signal: AbortSignal): Promise<LatestSeriesFound>;

  /**
   * At most `limit` series that match the filter and had duplicates or conflicts, in the order (device_id, sensor),
   * those after `after` if given. What is known survives a restart of a store that is durable.
   */
  readDuplicates(
    request: {
      readonly filter: SeriesFilter;
      readonly after?: SeriesName;
      readonly limit: number;
    },
    signal: AbortSignal,
  ): Promise<readonly SeriesDuplicates[]>;

  /** How far the store is and what it has seen. */
  readStatus(signal: AbortSignal): Promise<StoreStatus>;

  /**
   * Yields whenever readings were stored since the last yield (coalesced: a slow consumer gets one yield
   * for many changes, and nothing queues up). Ends when the signal aborts or the store closes.
   */
  watchChanges(signal: AbortSignal): AsyncIterable<void>;

  /** Another number once a reading that matches the filter is stored; undefined where that is not known at once. */
  lastChangeOf?(filter: SeriesFilter): number | undefined;
};
