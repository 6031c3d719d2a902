import type { DeviceMessage } from "@devicemesh/proto";
import type { ReadingKey } from "@devicemesh/query";
import { compareSeries } from "@devicemesh/query/plan/series-order";
import { betweenSql } from "../database/store-sql.ts";
import type { SeriesRegistry } from "../series/series-registry.ts";
import type { DuckdbReaders } from "./duckdb-readers.ts";

/** The request: at most `limit` readings of [sinceMs, toMs), after `after` in the given order. */
export type ReadingsRequest = {
  readonly registry: SeriesRegistry;
  readonly readers: DuckdbReaders;
  readonly seriesCondition: string;
  readonly sinceMs: number;
  readonly toMs: number;
  readonly descending: boolean;
  readonly after?: ReadingKey;
  readonly limit: number;
};

/**
 * Reads raw readings in the order (timestamp, device_id, sensor) or its reverse. The store first returns only the first
 * timestamps, which it finds without sorting; then all readings up to the last of these, which are sorted here, where
 * the names are.
 */
export async function findReadings(request: ReadingsRequest, signal: AbortSignal): Promise<DeviceMessage[]> {
  const { readers, registry, seriesCondition, descending, after, limit } = request;
  const { sinceMs, toMs } = narrowed(request);
  const where = `${betweenSql("ts", sinceMs, toMs)} AND ${seriesCondition}`;
  // Of the readings at the time of `after`, up to one for each series may precede it.
  const atAfter = after ? await countAt(readers, after.timestampMs, signal) : 0;
  const [timestamps = []] = await readers.read(
    `SELECT ts::DOUBLE FROM readings WHERE ${where} ORDER BY ts ${descending ? "DESC" : "ASC"} LIMIT ${limit + atAfter}`,
    signal,
  );
  const furthest = timestamps.at(-1) as number | undefined;
  if (furthest === undefined) return [];
  const span = descending ? betweenSql("ts", furthest, toMs) : betweenSql("ts", sinceMs, furthest + 1);
  const [series = [], times = [], values = []] = await readers.read(
    `SELECT series, ts::DOUBLE, value FROM readings WHERE ${span} AND ${seriesCondition}`,
    signal,
  );
  const sign = descending ? -1 : 1;
  const inOrder = (a: ReadingKey, b: ReadingKey): number =>
    sign * (a.timestampMs - b.timestampMs || compareSeries(a, b));
  return series
    .map((code, row): DeviceMessage => {
      const { deviceId, sensor } = registry.get(code as number);
      return { deviceId, sensor, timestampMs: times[row] as number, value: values[row] as number };
    })
    .filter((reading) => after === undefined || inOrder(reading, after) > 0)
    .sort(inOrder)
    .slice(0, limit);
}

function narrowed({ sinceMs, toMs, descending, after }: ReadingsRequest): { sinceMs: number; toMs: number } {
  if (!after) return { sinceMs, toMs };
  return descending
    ? { sinceMs, toMs: Math.min(toMs, after.timestampMs + 1) }
    : { sinceMs: Math.max(sinceMs, after.timestampMs), toMs };
}

async function countAt(readers: DuckdbReaders, timestampMs: number, signal: AbortSignal): Promise<number> {
  const [[count = 0] = []] = await readers.read(
    `SELECT count(*)::DOUBLE FROM readings WHERE ts = ${timestampMs}`,
    signal,
  );
  return count as number;
}
