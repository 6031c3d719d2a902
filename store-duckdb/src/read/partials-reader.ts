import {
  type BucketGrid,
  bucketExpression,
  type ReadPlan,
  type Scan,
  type SeriesPartial,
} from "@devicemesh/query";
import {
  alignedSql,
  betweenSql,
  mergeSql,
  type PartialSource,
  partialsTable,
} from "../database/store-sql.ts";
import type { SeriesRegistry } from "../series/series-registry.ts";
import type { Columns } from "./duckdb-readers.ts";

/** The request: the scans of a plan, for some series, in buckets or not. */
export type PartialsRequest = {
  readonly plan: Pick<ReadPlan, "levels" | "raw">;
  readonly seriesCondition: string;
  readonly buckets: BucketGrid | undefined;
};

/**
 * Returns the sources of a plan's scans. Each scan is a separate source: the engine skips blocks by the bounds of one
 * range, but not by ranges joined with OR.
 */
export function partialSources({ plan, seriesCondition, buckets }: PartialsRequest): PartialSource[] {
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
      keys: buckets ? { bucket: bucketSql(time, buckets) } : {},
    };
  }
  return [
    ...plan.levels.flatMap((scans, level) => scans.map((scan) => source(partialsTable(level), false, scan))),
    ...plan.raw.map((scan) => source("readings", true, scan)),
  ];
}

/** Returns SQL for the start of the bucket of a column of milliseconds. */
function bucketSql(column: string, buckets: BucketGrid): string {
  return bucketExpression(buckets, {
    aligned: ({ sinceMs, sizeMs }) => alignedSql(column, sizeMs, sinceMs),
    choice: (beforeMs, earlier, later) =>
      `CASE WHEN ${column} < ${beforeMs} THEN ${earlier} ELSE ${later} END`,
  });
}

/** Returns SQL that counts the rows of `seriesPartialsSql`. */
export function countPartialsSql(sources: readonly PartialSource[]): string {
  const keys = ["series", ...Object.keys(sources[0]?.keys ?? {})].join(", ");
  const rows = sources.map(({ table, where, keys: expressions }) => {
    const columns = Object.entries(expressions).map(([name, expression]) => `${expression} AS ${name}`);
    return `SELECT ${["series", ...columns].join(", ")} FROM ${table} WHERE ${where}`;
  });
  return `SELECT count(*)::DOUBLE FROM (SELECT DISTINCT ${keys} FROM (${rows.join("\nUNION ALL ")}))`;
}

/** Returns SQL that merges the sources into one row for each series and, if given, bucket. */
export function seriesPartialsSql(sources: readonly PartialSource[]): string {
  return `SELECT series, ${valueColumns(sources)} FROM (${mergeSql(sources)})`;
}

/** Numbers as doubles: milliseconds and counts are below 2^53, and no bigint is allocated for a row. */
export function valueColumns(sources: readonly PartialSource[]): string {
  const bucket = "bucket" in (sources[0]?.keys ?? {}) ? "bucket::DOUBLE AS bucket" : "0::DOUBLE AS bucket";
  return `${bucket}, count::DOUBLE, sum, minimum, maximum, minimum_at::DOUBLE, maximum_at::DOUBLE,
  first_at::DOUBLE, first_value, last_at::DOUBLE, last_value, m2, from_raw::DOUBLE`;
}

/** Converts the rows of `seriesPartialsSql` to partials. */
export function seriesPartialsOf(columns: Columns, registry: SeriesRegistry): SeriesPartial[] {
  const [codes = []] = columns;
  return codes.map((code, row) => {
    const { deviceId, sensor } = registry.get(code as number);
    return { deviceId, sensor, ...valuesOf(columns, row) };
  });
}

/** Converts a row of `valueColumns`, which follow one other column. */
export function valuesOf(columns: Columns, row: number): Omit<SeriesPartial, "deviceId" | "sensor"> {
  const number = (column: number): number => columns[column]?.[row] as number;
  return {
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
}
