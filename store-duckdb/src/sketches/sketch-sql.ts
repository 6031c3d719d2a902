import { bucketOffset, bucketShift, zeroBelow } from "@devicemesh/query";
import type { PartialSource } from "../database/store-sql.ts";

// A sketch in SQL: a list of the value buckets of value-buckets.ts with their counts, in any order. A window has at most
// one reading of a series for each millisecond, so its counts fit in 32 bits.

/** The type of the column of a sketch. */
export const sketchType = "STRUCT(bucket INTEGER, count INTEGER)[]";

/** Returns SQL for the value bucket of a column of doubles, the same as `valueBucket`. */
export function valueBucketSql(column: string): string {
  const place = `((abs(${column})::BIT::BIGINT >> ${bucketShift}) - ${bucketOffset})::INTEGER`;
  return `CASE WHEN abs(${column}) < ${zeroBelow}::DOUBLE THEN 0 WHEN ${column} < 0 THEN -${place} ELSE ${place} END`;
}

/** Returns SQL for rows of a source with series, the keys, value_bucket and readings: not added up yet. */
export function bucketRowsSql({ table, raw, where, keys }: PartialSource): string {
  const keyColumns = Object.entries(keys).map(([name, expression]) => `${expression} AS ${name}`);
  const columns = ["series", ...keyColumns].join(", ");
  if (raw) {
    return `SELECT ${columns}, ${valueBucketSql("value")} AS value_bucket, 1::BIGINT AS readings FROM ${table} WHERE ${where}`;
  }
  const entries = `SELECT series, window_start, segment, unnest(sketch) AS entry FROM ${table} WHERE ${where}`;
  return `SELECT ${columns}, entry.bucket AS value_bucket, entry.count::BIGINT AS readings FROM (${entries})`;
}

/** Returns SQL for one sketch for each series and key of a source: series, the keys, sketch, readings. */
export function foldedSketchesSql(source: PartialSource): string {
  const keys = ["series", ...Object.keys(source.keys)].join(", ");
  const counted = `SELECT ${keys}, value_bucket, sum(readings)::INTEGER AS readings FROM (${bucketRowsSql(source)}) GROUP BY ${keys}, value_bucket`;
  return `SELECT ${keys}, list({'bucket': value_bucket, 'count': readings}) AS sketch, sum(readings)::BIGINT AS readings FROM (${counted}) GROUP BY ${keys}`;
}
