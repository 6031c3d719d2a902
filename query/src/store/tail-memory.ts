import { createLoopShare } from "@devicemesh/kit/async/event-loop-share";
import type { Level } from "@devicemesh/proto";
import { type BucketGrid, bucketStart } from "../calendar/bucket-grid.ts";
import { createColumnMerge } from "../plan/column-merge.ts";
import type { MergedColumns } from "../plan/column-sums.ts";
import { compareSeries } from "../plan/series-order.ts";
import { fitsColumns, type WindowColumns } from "../plan/window-columns.ts";
import type { ReadPlan, Scan, SeriesFilter, SeriesName, SeriesPartial } from "./reading-store.ts";
import type { StoreHorizon } from "./store-status.ts";

/**
 * Reads the readings that arrived within a segment, as one partial for each series and finest window, and passes these
 * to `add`, until it returns false.
 */
export type LoadSegment = (
  segment: { readonly sinceMs: number; readonly toMs: number },
  windowMs: number,
  add: (partial: SeriesPartial) => boolean,
) => Promise<void>;

/**
 * The readings that have arrived since the frontier, folded here while the aggregator is late: an answer then reads
 * minutes of them as partials from memory, and from the database only the last seconds.
 */
export type TailMemory = {
  /**
   * Begins to fold the segments that are closed and not folded, if the frontier is late, and forgets those before the
   * frontier. Call it with every horizon; it does nothing while it is already folding.
   */
  follow(horizon: StoreHorizon, levels: readonly Level[]): void;
  /** Returns the partials that the memory has for a plan, and the plan of the rest. */
  read(
    request: TailRequest,
  ): Promise<{ readonly partials: readonly SeriesPartial[]; readonly rest: ReadPlan }>;
  /** Size of the partials in bytes. */
  readonly bytes: number;
  /** Resolves when it is not folding. */
  settled(): Promise<void>;
};

type TailRequest = {
  readonly plan: ReadPlan;
  readonly filter: SeriesFilter;
  readonly buckets: BucketGrid | undefined;
  readonly mergeDevices?: boolean | undefined;
};

/** The frontier is late if more has arrived since than this, in ms: usually it is 10 to 20 s behind. */
const lateMs = 40_000;

/** Maximum number of segments: an hour of 10 s each. */
const segmentsMax = 360;

/** Maximum size of a row in bytes. */
const rowBytesMax = 76;

/** Creates an empty memory. */
export function createTailMemory({
  load,
  bytesMax,
}: {
  readonly load: LoadSegment;
  readonly bytesMax: number;
}): TailMemory {
  let names: SeriesName[] = [];
  let codes = new Map<string, number>();
  /** Consecutive segments by their start, in order. */
  const segments = new Map<number, WindowColumns>();
  let size: Level | undefined;
  let throughMs = 0;
  let bytes = 0;
  let folding: Promise<void> | undefined;

  function codeOf({ deviceId, sensor }: SeriesName): number {
    const key = `${deviceId}\n${sensor}`;
    const known = codes.get(key);
    if (known !== undefined) return known;
    codes.set(key, names.length);
    return names.push({ deviceId, sensor }) - 1;
  }

  function forget(beforeMs: number): void {
    for (const [startMs, { bytes: own }] of segments) {
      if (startMs >= beforeMs) break;
      segments.delete(startMs);
      bytes -= own;
    }
    if (segments.size > 0) return;
    // A read that is running keeps the old ones.
    names = [];
    codes = new Map();
  }

  async function foldOne(segment: { readonly sinceMs: number; readonly toMs: number }, windowMs: number) {
    const merge = createColumnMerge({
      groupOf: (series) => series,
      bucketOf: (startMs) => startMs,
      isBefore: () => false,
    });
    let isFull = false;
    await load(segment, windowMs, (partial) => {
      merge.addPartial(
        codeOf(partial),
        partial.bucketMs,
        partial.count,
        partial.sum,
        partial.minimum,
        partial.maximum,
        partial.minimumAtMs,
        partial.maximumAtMs,
        partial.firstAtMs,
        partial.firstValue,
        partial.lastAtMs,
        partial.lastValue,
        partial.m2,
      );
      isFull = bytes + merge.size * rowBytesMax > bytesMax;
      return !isFull;
    });
    if (isFull) return undefined;
    return merge.toWindows(windowMs);
  }

  async function fold(frontierMs: number, completeThroughMs: number, level: Level): Promise<void> {
    const { segmentMs, windowMs } = level;
    if (segments.size === 0) throughMs = frontierMs;
    while (throughMs + segmentMs <= completeThroughMs && segments.size < segmentsMax) {
      const sinceMs = throughMs;
      const columns = await foldOne({ sinceMs, toMs: sinceMs + segmentMs }, windowMs);
      if (!columns) return;
      segments.set(sinceMs, columns);
      bytes += columns.bytes;
      throughMs = sinceMs + segmentMs;
    }
  }

  return {
    get bytes() {
      return bytes;
    },
    settled: async () => folding,
    follow({ frontiersMs: [frontierMs = 0], completeThroughMs }, [level]) {
      if (!level || !fitsColumns(level.windowMs)) return;
      size = level;
      if (!folding) forget(frontierMs);
      // A frontier of 0 means that nothing is folded: then everything is in the tail.
      if (folding || frontierMs === 0 || completeThroughMs - frontierMs < lateMs) return;
      // If the aggregator is hours late, the memory could hold only a small part.
      const isTooLate = completeThroughMs - frontierMs > segmentsMax * level.segmentMs;
      if (isTooLate && segments.size === 0) return;
      folding = fold(frontierMs, completeThroughMs, level)
        // The next call tries it again, and answers meet the same error.
        .catch(() => {})
        .finally(() => {
          folding = undefined;
        });
    },
    async read({ plan, filter, buckets, mergeDevices = false }) {
      const [firstMs] = segments.keys();
      if (firstMs === undefined || !size) return { partials: [], rest: plan };
      const { windowMs, segmentMs } = size;
      const held = { sinceMs: firstMs, toMs: throughMs, windowMs, segmentMs };
      const tails = plan.raw.filter((scan) => isTail(scan, held));
      if (tails.length === 0) return { partials: [], rest: plan };
      // What is folded or forgotten meanwhile does not matter: the rest of the plan is decided now.
      const columns = [...segments];
      const series = names;
      const except = exceptOf(plan, codes);
      let isExcepted: (code: number) => boolean = (code) => except.has(code);
      const groupOf = groupsOf({ names: series, filter, mergeDevices });
      const merge = createColumnMerge({
        groupOf: (code) => (isExcepted(code) ? -1 : groupOf(code)),
        bucketOf: buckets && ((ms) => bucketStart(buckets, ms)),
        isBefore: (code, other) => compareSeries(series[code] as SeriesName, series[other] as SeriesName) < 0,
      });
      const share = createLoopShare();
      for (const scan of tails) {
        for (const [startMs, windows] of columns) {
          if (startMs < scan.arrivedSinceMs) continue;
          merge.addWindows(windows, scan);
          await share();
        }
      }
      isExcepted = () => false;
      for (const scan of except.size > 0 ? tails : []) {
        for (const [startMs, windows] of columns) {
          if (startMs < scan.arrivedSinceMs) continue;
          for (const row of rowsBeside(except, windows)) merge.addWindows(row, scan);
        }
      }
      const others = plan.raw.flatMap((scan) => (tails.includes(scan) ? restOf(scan, held) : [scan]));
      const partials = merge.merged().map((row) => partialOf(row, series, mergeDevices));
      return { partials, rest: { ...plan, raw: others } };
    },
  };
}

type Held = Level & { readonly sinceMs: number; readonly toMs: number };

/** Whether a scan is of whole windows and segments, some of which are held. */
function isTail({ sinceMs, toMs, arrivedSinceMs, arrivedToMs }: Scan, held: Held): boolean {
  return (
    arrivedToMs === Number.POSITIVE_INFINITY &&
    arrivedSinceMs < held.toMs &&
    arrivedSinceMs % held.segmentMs === 0 &&
    sinceMs % held.windowMs === 0 &&
    toMs % held.windowMs === 0
  );
}

/** Returns the parts of a scan that arrived before or after what is held. */
function restOf(scan: Scan, held: Held): Scan[] {
  const after = { ...scan, arrivedSinceMs: held.toMs };
  return scan.arrivedSinceMs < held.sinceMs ? [{ ...scan, arrivedToMs: held.sinceMs }, after] : [after];
}

/** The spans of windows that the raw scans of a plan leave out, by the code of their series. */
function exceptOf(
  { duplicates }: ReadPlan,
  codes: ReadonlyMap<string, number>,
): ReadonlyMap<number, readonly { readonly sinceMs: number; readonly toMs: number }[]> {
  const except = new Map<number, { readonly sinceMs: number; readonly toMs: number }[]>();
  for (const { series, sinceMs, toMs } of duplicates?.except.raw ?? []) {
    for (const { deviceId, sensor } of series) {
      const code = codes.get(`${deviceId}\n${sensor}`);
      if (code !== undefined) except.set(code, [...(except.get(code) ?? []), { sinceMs, toMs }]);
    }
  }
  return except;
}

/** Returns the rows of excepted series whose windows are not excepted, each as columns of one row. */
function* rowsBeside(
  except: ReturnType<typeof exceptOf>,
  { length, windowMs, series, windows, counts, values, offsets }: WindowColumns,
): Generator<WindowColumns> {
  for (let row = 0; row < length; row++) {
    const spans = except.get(series[row] as number);
    const startMs = (windows[row] as number) * windowMs;
    if (!spans || spans.some(({ sinceMs, toMs }) => startMs >= sinceMs && startMs < toMs)) continue;
    const one = series.subarray(row, row + 1);
    yield {
      length: 1,
      windowMs,
      series: one,
      lastSeries: one,
      windows: windows.subarray(row, row + 1),
      counts: counts.subarray(row, row + 1),
      values: values.subarray(row * 6, row * 6 + 6),
      offsets: offsets.subarray(row * 4, row * 4 + 4),
      bytes: 0,
    };
  }
}

/** Returns the group of each series by its code: itself, or the first series of its sensor; -1 if it is filtered out. */
function groupsOf({
  names,
  filter: { deviceIds, sensors },
  mergeDevices,
}: {
  readonly names: readonly SeriesName[];
  readonly filter: SeriesFilter;
  readonly mergeDevices: boolean;
}): (series: number) => number {
  const devices = new Set(deviceIds);
  const wanted = new Set(sensors);
  const groups = new Int32Array(names.length);
  const ofSensor = new Map<string, number>();
  for (const [code, { deviceId, sensor }] of names.entries()) {
    const isWanted =
      (devices.size === 0 || devices.has(deviceId)) && (wanted.size === 0 || wanted.has(sensor));
    if (!ofSensor.has(sensor)) ofSensor.set(sensor, code);
    const group = mergeDevices ? (ofSensor.get(sensor) as number) : code;
    groups[code] = isWanted ? group : -1;
  }
  return (series) => groups[series] ?? -1;
}

function partialOf(row: MergedColumns, names: readonly SeriesName[], mergeDevices: boolean): SeriesPartial {
  const { firstSeries, lastSeries, ...figures } = row;
  const { deviceId, sensor } = names[firstSeries] as SeriesName;
  // They are the aggregator's windows, but computed from raw readings.
  const partial = { ...figures, fromRaw: row.count, sensor } as const;
  if (!mergeDevices) return { ...partial, deviceId };
  const lastDeviceId = (names[lastSeries] as SeriesName).deviceId;
  return { ...partial, deviceId: "", firstDeviceId: deviceId, lastDeviceId };
}
