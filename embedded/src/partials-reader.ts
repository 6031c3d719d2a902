import type { ReadPlan, Scan, SeriesPartial } from "@devicemesh/query";
import type { Columns } from "./duckdb-readers.ts";
import type { SeriesRegistry } from "./series-registry.ts";
import { alignedSql, betweenSql, mergeSql, type PartialSource, partialsTable } from "./store-sql.ts";

/**
 * SQL that reads what a plan's scans add up to, one row for each series and, if given, bucket; undefined
 * if the plan has no scans. Each scan is a source of its own: the engine skips blocks by the bounds of
 * one range, but not by ranges joined with OR.
 */
export function readPartialsSql(request: {
  readonly plan: ReadPlan;
  readonly seriesCondition: string;
  readonly bucketMs: number | undefined;
}): string | undefined {
  const { plan, seriesCondition, bucketMs } = request;
  function source(table: string, raw: boolean, scan: Scan): PartialSource {
    const [time, arrived] = raw ? ["ts", "arrived"] : ["window_start", "segment"];
    const bounds = [
      betweenSql(time, scan.sinceMs, scan.toMs),
      betweenSql(arrived, scan.arrivedSinceMs, scan.arrivedToMs),
    ];
    return {
      table,
      raw,
      where: [...bounds, seriesCondition].filter((condition) => condition !== "true").join(" AND ") || "true",
      keys: bucketMs === undefined ? {} : { bucket: alignedSql(time, bucketMs) },
    };
  }
  const sources = [
    ...plan.levels.flatMap((scans, level) => scans.map((scan) => source(partialsTable(level), false, scan))),
    ...plan.raw.map((scan) => source("readings", true, scan)),
  ];
  if (sources.length === 0) return undefined;
  const bucket = bucketMs === undefined ? "0::DOUBLE AS bucket" : "bucket::DOUBLE AS bucket";
  // Numbers as doubles: milliseconds and counts are below 2^53, and no bigint is made for a row.
  return `SELECT series, ${bucket}, count::DOUBLE, sum, minimum, maximum, minimum_at::DOUBLE, maximum_at::DOUBLE,
  first_at::DOUBLE, first_value, last_at::DOUBLE, last_value, m2, from_raw::DOUBLE FROM (${mergeSql(sources)})`;
}

/** The rows of readPartialsSql as partials. */
export function partialsOf(columns: Columns, registry: SeriesRegistry): SeriesPartial[] {
  const [codes = []] = columns;
  return codes.map((code, row) => {
    const number = (column: number): number => columns[column]?.[row] as number;
    const { deviceId, sensor } = registry.get(code as number);
    return {
      deviceId,
      sensor,
      bucketMs: number(1),
      count: number(2),
      sum: number(3),
      minimum: number(4),
      maximum: number(5),
      minimumAtMs: number(6),
      maximumAtMs: number(7),
      firstAtMs: number(8),
      firstValue: number(9),
      lastAtMs: number(10),
      lastValue: number(11),
      m2: number(12),
      fromRaw: number(13),
    };
  });
}
