import type { SensorName } from "@devicemesh/proto";
import { columnPieces, expiredMeanwhile, type ReadingColumns, type ReadingScan } from "@devicemesh/query";
import { betweenSql } from "../database/store-sql.ts";
import type { SeriesRegistry } from "../series/series-registry.ts";
import type { DuckdbReaders } from "./duckdb-readers.ts";

/** The request and the dependencies of a scan. */
export type ScanRequest = ReadingScan & {
  readonly registry: SeriesRegistry;
  readonly readers: DuckdbReaders;
  readonly seriesCondition: string;
  /** Returns the timestamp from which on raw readings are kept now. */
  rawKeptSinceMs(): number;
};

type Slice = { readonly sinceMs: number; readonly toMs: number };

/** Maximum number of readings of one statement, unless they all have the same timestamp. */
const sliceRows = 65_536;

/** Number of equal parts into which a timeframe is divided to count its readings. */
const countedParts = 4096;

/**
 * Reads raw readings in order, slice by slice of the timeframe. The readings are counted first, so that each slice is
 * one bounded statement that sorts in the engine: a statement over the whole timeframe would sort all of it, and would
 * keep its connection while the caller is slow. Each slice sees another state of the file, but only retention can
 * remove readings that arrived before the bound, which is checked after each slice.
 */
export async function* scanReadings(
  request: ScanRequest,
  signal: AbortSignal,
): AsyncGenerator<ReadingColumns> {
  for await (const slice of slicesOf(request, signal)) {
    const columns = await readSlice(request, slice, signal);
    if (request.rawKeptSinceMs() > slice.sinceMs) throw expiredMeanwhile();
    yield* columnPieces(columns);
  }
}

function conditionOf({ arrivedToMs, seriesCondition }: ScanRequest, { sinceMs, toMs }: Slice): string {
  const arrived = betweenSql("arrived", Number.NEGATIVE_INFINITY, arrivedToMs);
  return `${betweenSql("ts", sinceMs, toMs)} AND ${arrived} AND ${seriesCondition}`;
}

/**
 * Divides the readings of a timeframe into slices; a part with too many readings is divided again when it is reached.
 */
async function* slicesOf(request: ScanRequest, signal: AbortSignal): AsyncGenerator<Slice> {
  const { readers } = request;
  const [[count = 0] = [], [first] = [], [last] = []] = await readers.read(
    `SELECT count(*)::DOUBLE, min(ts)::DOUBLE, max(ts)::DOUBLE FROM readings WHERE ${conditionOf(request, request)}`,
    signal,
  );
  if (request.rawKeptSinceMs() > request.sinceMs) throw expiredMeanwhile();
  if ((count as number) === 0) return;
  const whole = { sinceMs: first as number, toMs: (last as number) + 1 };
  const lengthMs = whole.toMs - whole.sinceMs;
  if ((count as number) <= sliceRows || lengthMs === 1) {
    yield whole;
    return;
  }
  const partMs = Math.ceil(lengthMs / countedParts);
  const [starts = [], counts = []] = await readers.read(
    `SELECT ((ts - ${whole.sinceMs}) // ${partMs} * ${partMs} + ${whole.sinceMs})::DOUBLE AS part, count(*)::DOUBLE
FROM readings WHERE ${conditionOf(request, whole)} GROUP BY part ORDER BY part`,
    signal,
  );
  let { sinceMs } = whole;
  let rows = 0;
  for (const [place, start] of (starts as number[]).entries()) {
    const found = counts[place] as number;
    if (rows > 0 && rows + found > sliceRows) {
      yield { sinceMs, toMs: start };
      rows = 0;
    }
    if (rows === 0) sinceMs = start;
    if (found > sliceRows) yield* slicesOf({ ...request, sinceMs: start, toMs: start + partMs }, signal);
    else rows += found;
  }
  if (rows > 0) yield { sinceMs, toMs: whole.toMs };
}

async function readSlice(request: ScanRequest, slice: Slice, signal: AbortSignal): Promise<ReadingColumns> {
  const { readers, registry } = request;
  const timestampsMs: number[] = [];
  const deviceIds: string[] = [];
  const sensors: SensorName[] = [];
  const values: number[] = [];
  const known = new Map<number, { readonly deviceId: string; readonly sensor: SensorName }>();
  const seriesOf = (code: number) => {
    const found = known.get(code) ?? registry.get(code);
    known.set(code, found);
    return found;
  };
  // Names are compared as bytes, which is their order everywhere, because all are ASCII.
  await readers.readEach(
    `SELECT readings.series, ts::DOUBLE, value FROM readings JOIN series AS names ON names.code = readings.series
WHERE ${conditionOf(request, slice)} ORDER BY ts, device_id, sensor`,
    signal,
    ([codes = [], times = [], found = []]) => {
      for (const [row, code] of codes.entries()) {
        const { deviceId, sensor } = seriesOf(code as number);
        deviceIds.push(deviceId);
        sensors.push(sensor);
        timestampsMs.push(times[row] as number);
        values.push(found[row] as number);
      }
    },
  );
  return { timestampsMs, deviceIds, sensors, values };
}
