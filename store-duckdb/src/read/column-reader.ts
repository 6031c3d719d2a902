import {
  type BucketGrid,
  bucketStart,
  createColumnMerge,
  type MergedColumns,
  type PartialsRead,
  type ReadPlan,
  type Scan,
  type SeriesFilter,
  type SeriesPartial,
} from "@devicemesh/query";
import type { RecentReadings } from "../append/commit-clock.ts";
import { seriesOfDevices } from "../series/series-filter-sql.ts";
import type { SeriesRegistry } from "../series/series-registry.ts";
import type { DuckdbReaders, NumbersQuery } from "./duckdb-readers.ts";
import { addPartialRows, partialRowColumns, partialRowsSql } from "./partial-rows.ts";
import type { RawMemory } from "./raw-memory.ts";
import { rawQuery } from "./raw-query.ts";
import type { WindowMemory } from "./window-memory.ts";

/** The request: the scans of a plan, for some series, in buckets or not. */
export type ColumnsRequest = {
  readonly plan: ReadPlan;
  readonly filter: SeriesFilter;
  readonly buckets: BucketGrid | undefined;
  /** Whether all devices of a sensor become one partial. */
  readonly mergeDevices: boolean;
  /** Maximum number of partials. */
  readonly partialsMax: number;
};

/** The dependencies of reading. */
export type ColumnReaderDependencies = {
  readonly registry: SeriesRegistry;
  readonly readers: DuckdbReaders;
  readonly memory: WindowMemory;
  readonly raw: RawMemory;
  readonly recent: RecentReadings;
  /** No stored reading arrived later than this, ms since 1970. */
  readonly lastArrivedMs: () => number;
};

/** With more series than this the engine merges, because their windows do not fit the memory. */
const columnSeriesMax = 20_000;

/** Maximum number of raw readings that are merged here; the engine merges more without blocking the event loop. */
const rawRowsMax = 131_072;

/** In a store with more series than this, only those of one device are requested. */
const filteredFromSeries = 2000;

/**
 * Reads the result of a plan: folded windows and raw readings from memory, or with small prepared statements. Returns
 * undefined if there are too many of either, or if more was folded meanwhile: then the engine must merge. Throws the
 * errors of the readers.
 */
export async function readByColumns(
  { registry, readers, memory, raw, recent, lastArrivedMs }: ColumnReaderDependencies,
  { plan, filter, buckets, mergeDevices, partialsMax }: ColumnsRequest,
  signal: AbortSignal,
): Promise<Pick<PartialsRead, "partials" | "tooMany"> | undefined> {
  const lastMs = lastArrivedMs();
  const groupOf = groupsOf(registry, filter, mergeDevices);
  if (groupOf === undefined) return { partials: [] };
  const merge = createColumnMerge({
    groupOf,
    bucketOf: buckets && ((ms) => bucketStart(buckets, ms)),
    isBefore: registry.isDeviceBefore,
  });
  const codes = namedCodes(registry, filter);
  const bySensor = mergeDevices && filter.deviceIds.length === 0;
  if (codes === undefined && registry.saved > columnSeriesMax) return undefined;
  for (const [level, scans] of plan.levels.entries()) {
    for (const scan of scans) {
      if (codes) {
        await readers.readNumbers(partialsOfSeries(level, scan, codes), signal, (columns, length) =>
          addPartialRows(merge, columns, length),
        );
        continue;
      }
      const windows = await memory.windowsOf({ level, scan, bySensor }, signal);
      if (!windows) return undefined;
      for (const each of windows) merge.addWindows(each, scan);
      if (merge.size > partialsMax) return { partials: [], tooMany: merge.size };
    }
  }
  const scans = plan.raw.filter(({ arrivedSinceMs }) => arrivedSinceMs <= lastMs);
  const { addReading, addReadings } = merge;
  // What has arrived since the frontier is mostly in the ring, and the edges are mostly in the memory.
  const older = scans.filter((scan) => recent.read(scan, addReading) === undefined);
  // The memory has readings whenever they arrived.
  const isEdge = ({ arrivedSinceMs, arrivedToMs }: Scan): boolean =>
    arrivedSinceMs === -Infinity && arrivedToMs === Infinity;
  const edges = codes === undefined ? older.filter(isEdge) : [];
  const isRead = edges.length === 0 || (await raw.read(edges, addReadings, signal));
  const others = isRead ? older.filter((scan) => !edges.includes(scan)) : older;
  let rows = 0;
  for (const query of rawQueries(others, codes)) {
    await readers.readNumbers(query, signal, (columns, length) => {
      const [series, times, values] = columns as readonly [Int32Array, Float64Array, Float64Array];
      rows += length;
      for (let row = 0; row < length; row++) {
        addReading(series[row] as number, times[row] as number, values[row] as number);
      }
    });
    if (rows > rawRowsMax) return undefined;
  }
  if (merge.size > partialsMax) return { partials: [], tooMany: merge.size };
  return { partials: merge.merged().map((row) => partialOf(row, registry, mergeDevices)) };
}

/** Maximum number of series that are named in a statement. */
const namedSeriesMax = 16;

/** Returns the codes to name in statements, with only a few different texts; undefined if naming them does not pay. */
function namedCodes(registry: SeriesRegistry, filter: SeriesFilter): readonly number[] | undefined {
  if (filter.deviceIds.length === 0 || registry.saved <= filteredFromSeries) return undefined;
  const codes = seriesOfDevices(registry, filter).map(({ code }) => code);
  if (codes.length > namedSeriesMax) return undefined;
  // The last code is repeated until there are four, or sixteen.
  const named = codes.length <= 4 ? 4 : namedSeriesMax;
  return Array.from({ length: named }, (_, place) => codes[Math.min(place, codes.length - 1)] as number);
}

function partialsOfSeries(level: number, scan: Scan, codes: readonly number[]): NumbersQuery {
  const { sinceMs, toMs, arrivedSinceMs, arrivedToMs } = scan;
  const places = codes.map((_, place) => `$${place + 5}::INTEGER`);
  return {
    sql: partialRowsSql(level, `series IN (${places.join(", ")})`),
    columns: partialRowColumns,
    parameters: [sinceMs, toMs, arrivedSinceMs, arrivedToMs, ...codes],
  };
}

/** The group of each series by its code: itself, or its sensor; -1 if the filter leaves it out. Undefined if it leaves out all. */
function groupsOf(
  registry: SeriesRegistry,
  filter: SeriesFilter,
  mergeDevices: boolean,
): ((series: number) => number) | undefined {
  const groupOf = mergeDevices ? registry.sensorCodeOf : (series: number) => series;
  const { deviceIds, sensors } = filter;
  if (deviceIds.length > 0) {
    const wanted = seriesOfDevices(registry, filter);
    if (wanted.length === 0) return undefined;
    // Most rows are of other series, so this is asked for every row.
    const groups = new Int32Array(registry.size).fill(-1);
    for (const { code } of wanted) groups[code] = groupOf(code);
    return (series) => groups[series] ?? -1;
  }
  if (sensors.length === 0) return groupOf;
  if (registry.count(sensors) === 0) return undefined;
  const wanted = new Set(sensors.map((sensor) => registry.catalog.codeOf(sensor)));
  return (series) => (wanted.has(registry.sensorCodeOf(series)) ? groupOf(series) : -1);
}

/** Returns the statements for raw readings, with two scans in each. */
function* rawQueries(scans: readonly Scan[], codes: readonly number[] | undefined): Generator<NumbersQuery> {
  for (let place = 0; place < scans.length; place += 2) {
    yield rawQuery(scans.slice(place, place + 2), { rowsMax: rawRowsMax + 1, codes });
  }
}

function partialOf(row: MergedColumns, registry: SeriesRegistry, mergeDevices: boolean): SeriesPartial {
  const { firstSeries, lastSeries, ...figures } = row;
  const { deviceId, sensor } = registry.get(firstSeries);
  if (!mergeDevices) return { ...figures, deviceId, sensor };
  const lastDeviceId = registry.get(lastSeries).deviceId;
  return { ...figures, deviceId: "", sensor, firstDeviceId: deviceId, lastDeviceId };
}
