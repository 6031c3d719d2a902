import type { SensorName } from "@devicemesh/proto";
import { type PartialSource, partialColumns } from "../database/store-sql.ts";

/**
 * Returns SQL that merges all rows of the sources into one row for each sensor and key, over all series: sensor_code,
 * the keys, and the columns of a partial; for its first and last reading, the number of rows with its time, and one of
 * their series. `sensors` must be all that have series; their names match the contract's pattern. It never groups by
 * series, so that a million of them cost two scans and not a million groups: one for the means and extremes, and one
 * for the values that depend on them, such as the squared distances from the mean (Chan's formula) and the earliest
 * times of the extremes.
 */
export function mergeBySensorSql(
  sources: readonly PartialSource[],
  sensors: readonly { readonly sensor: SensorName; readonly code: number }[],
): string {
  const keys = ["sensor_code", ...Object.keys(sources[0]?.keys ?? {})].join(", ");
  const codes = sensors.map(({ sensor, code }) => `WHEN '${sensor}' THEN ${code}`);
  // An empty store has no sensor, and CASE needs one.
  const sensorCode = codes.length > 0 ? `(CASE sensor ${codes.join(" ")} END)` : "NULL";
  return `
WITH kind AS NOT MATERIALIZED (SELECT code AS series, ${sensorCode}::USMALLINT AS sensor_code FROM series),
part AS NOT MATERIALIZED (SELECT * FROM (${rowsSql(sources)}) JOIN kind USING (series)),
whole AS MATERIALIZED (
  SELECT ${keys}, sum(count)::BIGINT AS n, fsum(sum) AS total, min(minimum) AS lowest, max(maximum) AS highest,
    min(first_at) AS earliest, max(last_at) AS latest, sum(from_raw)::BIGINT AS raws
  FROM part GROUP BY ${keys}),
rest AS (
  SELECT ${keys}, min(minimum_at) FILTER (minimum = lowest) AS minimum_at, min(maximum_at) FILTER (maximum = highest) AS maximum_at,
    sum(m2 + count * (sum / count - total / n) * (sum / count - total / n)) AS m2,
    any_value(first_value) FILTER (first_at = earliest) AS first_value, any_value(last_value) FILTER (last_at = latest) AS last_value,
    any_value(series) FILTER (first_at = earliest) AS first_series, any_value(series) FILTER (last_at = latest) AS last_series,
    count(*) FILTER (first_at = earliest) AS firsts, count(*) FILTER (last_at = latest) AS lasts
  FROM part JOIN whole USING (${keys}) GROUP BY ${keys})
SELECT *, n AS count, total AS sum, lowest AS minimum, highest AS maximum, earliest AS first_at, latest AS last_at, raws AS from_raw
FROM whole JOIN rest USING (${keys})`;
}

/**
 * Returns SQL for the rows of the sources whose first or last reading was at one of these times: series, key, time,
 * value.
 */
export function endRowsSql(
  sources: readonly PartialSource[],
  end: "first" | "last",
  timesMs: readonly number[],
): string {
  const bucket = "bucket" in (sources[0]?.keys ?? {}) ? "bucket::DOUBLE" : "0::DOUBLE";
  return `SELECT series, ${bucket}, ${end}_at::DOUBLE, ${end}_value FROM (${rowsSql(sources)}) WHERE ${end}_at IN (${timesMs.join(", ")})`;
}

/** Returns the rows of the sources unchanged; a raw reading is its own partial. */
function rowsSql(sources: readonly PartialSource[]): string {
  return sources.map(sourceRowsSql).join("\nUNION ALL ");
}

function sourceRowsSql({ table, raw, where, keys }: PartialSource): string {
  const keyColumns = Object.entries(keys).map(([name, expression]) => `${expression} AS ${name}`);
  const columns = raw
    ? [
        "1::BIGINT AS count",
        ...["sum", "minimum", "maximum"].map((name) => `value AS ${name}`),
        ...["minimum_at", "maximum_at", "first_at"].map((name) => `ts AS ${name}`),
        "value AS first_value, ts AS last_at, value AS last_value, 0::DOUBLE AS m2, 1::BIGINT AS from_raw",
      ]
    : [...partialColumns, "0::BIGINT AS from_raw"];
  return `SELECT ${["series", ...keyColumns, ...columns].join(", ")} FROM ${table} WHERE ${where}`;
}
