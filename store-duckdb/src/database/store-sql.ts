import { firstSketchedLevel } from "@devicemesh/query";
import { foldedSketchesSql, sketchType } from "../sketches/sketch-sql.ts";

/** The columns of a partial, in the order of every statement here. */
export const partialColumns = [
  "count",
  "sum",
  "minimum",
  "maximum",
  "minimum_at",
  "maximum_at",
  "first_at",
  "first_value",
  "last_at",
  "last_value",
  "m2",
] as const;

/** Maximum number of levels that the file has tables for. */
const levelsMax = 8;

/** Returns the table of a level's partials; level 0 is the finest. */
export function partialsTable(level: number): string {
  return `partials_${level}`;
}

/** Creates the missing tables. Safe to run at every start. */
export const createSchema: readonly string[] = [
  "CREATE TABLE IF NOT EXISTS series (code INTEGER NOT NULL, device_id VARCHAR NOT NULL, sensor VARCHAR NOT NULL)",
  // The unit of each sensor when its readings were stored: see duckdb-sensor-units.ts.
  "CREATE TABLE IF NOT EXISTS sensor_units (sensor VARCHAR NOT NULL, unit VARCHAR NOT NULL)",
  // ts and arrived are milliseconds since 1970. No unique index: see docs/decisions on the embedded store.
  "CREATE TABLE IF NOT EXISTS readings (series INTEGER NOT NULL, ts BIGINT NOT NULL, value DOUBLE NOT NULL, arrived BIGINT NOT NULL)",
  "CREATE TABLE IF NOT EXISTS repeats (duplicates BIGINT NOT NULL, conflicts BIGINT NOT NULL)",
  // The additions of each commit by series, and the latest conflicts: see duckdb-duplicates.ts.
  "CREATE TABLE IF NOT EXISTS series_repeats (series INTEGER NOT NULL, duplicates BIGINT NOT NULL, conflicts BIGINT NOT NULL)",
  "CREATE TABLE IF NOT EXISTS latest_conflicts (series INTEGER NOT NULL, ts BIGINT NOT NULL, stored DOUBLE NOT NULL, refused DOUBLE NOT NULL, arrived BIGINT NOT NULL)",
  "INSERT INTO repeats SELECT 0, 0 WHERE NOT EXISTS (FROM repeats)",
  "CREATE TABLE IF NOT EXISTS levels (level INTEGER NOT NULL, window_ms BIGINT NOT NULL, segment_ms BIGINT NOT NULL, frontier BIGINT NOT NULL)",
  // The timestamps from which on all data is kept; level -1 is the raw readings.
  "CREATE TABLE IF NOT EXISTS kept_since (level INTEGER NOT NULL, since BIGINT NOT NULL)",
  ...Array.from(
    { length: levelsMax },
    (_, level) =>
      `CREATE TABLE IF NOT EXISTS ${partialsTable(level)} (series INTEGER NOT NULL, window_start BIGINT NOT NULL, segment BIGINT NOT NULL, count BIGINT NOT NULL, sum DOUBLE NOT NULL, minimum DOUBLE NOT NULL, maximum DOUBLE NOT NULL, minimum_at BIGINT NOT NULL, maximum_at BIGINT NOT NULL, first_at BIGINT NOT NULL, first_value DOUBLE NOT NULL, last_at BIGINT NOT NULL, last_value DOUBLE NOT NULL, m2 DOUBLE NOT NULL)`,
  ),
  // Files from before there were sketches have no such column; their partials keep null.
  ...Array.from(
    { length: levelsMax - firstSketchedLevel },
    (_, place) =>
      `ALTER TABLE ${partialsTable(firstSketchedLevel + place)} ADD COLUMN IF NOT EXISTS sketch ${sketchType}`,
  ),
];

/** A source of a merge: rows of `source` under `where`, grouped by the expressions in `keys`. */
export type PartialSource = {
  readonly table: string;
  readonly raw: boolean;
  readonly where: string;
  /** SQL expressions of the group's keys after the series, by the name of their column. */
  readonly keys: Readonly<Record<string, string>>;
};

/**
 * Returns SQL that merges all rows of the sources into one row for each series and key: series, the keys, the columns
 * of a partial, and from_raw. Means first, then squared distances from them (Chan's formula), so that no sum of squares
 * is ever formed; extremes first, then their earliest times, so that time decides ties and not the order of rows.
 */
export function mergeSql(sources: readonly PartialSource[]): string {
  const keyNames = Object.keys(sources[0]?.keys ?? {});
  const keys = ["series", ...keyNames].join(", ");
  return `
WITH part AS MATERIALIZED (${sources.map(sourceSql).join("\nUNION ALL ")}),
whole AS MATERIALIZED (
  SELECT ${keys}, sum(count)::BIGINT AS n, fsum(sum) AS total, min(minimum) AS lowest, max(maximum) AS highest,
    min(first_at) AS earliest, max(last_at) AS latest, sum(from_raw)::BIGINT AS raws
  FROM part GROUP BY ${keys})
SELECT ${keys}, any_value(n) AS count, any_value(total) AS sum, any_value(lowest) AS minimum, any_value(highest) AS maximum,
  min(minimum_at) FILTER (minimum = lowest) AS minimum_at, min(maximum_at) FILTER (maximum = highest) AS maximum_at,
  any_value(earliest) AS first_at, any_value(first_value) FILTER (first_at = earliest) AS first_value,
  any_value(latest) AS last_at, any_value(last_value) FILTER (last_at = latest) AS last_value,
  sum(m2 + count * (sum / count - total / n) * (sum / count - total / n)) AS m2, any_value(raws) AS from_raw
FROM part JOIN whole USING (${keys}) GROUP BY ${keys}`;
}

function sourceSql(source: PartialSource): string {
  if (source.raw) return rawPartialsSql(source);
  const keyColumns = Object.entries(source.keys).map(([name, expression]) => `${expression} AS ${name}`);
  const columns = ["series", ...keyColumns, ...partialColumns, "0::BIGINT AS from_raw"];
  return `SELECT ${columns.join(", ")} FROM ${source.table} WHERE ${source.where}`;
}

/**
 * Raw readings as partials, in one pass: var_pop is Welford's, so it is stable too; the extremes carry their times, so
 * that of equal values the earliest counts.
 */
function rawPartialsSql({ table, where, keys }: PartialSource): string {
  const keyColumns = Object.entries(keys).map(([name, expression]) => `${expression} AS ${name}`);
  return `SELECT ${["series", ...keyColumns].join(", ")}, count(*) AS count, fsum(value) AS sum,
  min(value) AS minimum, max(value) AS maximum,
  arg_min(ts, row(value, ts)) AS minimum_at, arg_max(ts, row(value, -ts)) AS maximum_at,
  min(ts) AS first_at, arg_min(value, ts) AS first_value, max(ts) AS last_at, arg_max(value, ts) AS last_value,
  var_pop(value) * count(*) AS m2, count(*) AS from_raw
FROM ${table} WHERE ${where} GROUP BY ${["series", ...Object.keys(keys)].join(", ")}`;
}

const rawTable = "readings";

/** The source of a level's fold, and the columns of its time and its arrival. */
function foldSource(level: number): { table: string; time: string; arrived: string } {
  return level === 0
    ? { table: rawTable, time: "ts", arrived: "arrived" }
    : { table: partialsTable(level - 1), time: "window_start", arrived: "segment" };
}

/** The source of a level's sketches: raw readings where the next finer level has none. */
function sketchSource(level: number): ReturnType<typeof foldSource> {
  return foldSource(level === firstSketchedLevel ? 0 : level);
}

/** A level, and the segments [sinceMs, toMs) to fold into it. */
export type Fold = {
  readonly level: number;
  readonly windowMs: number;
  readonly segmentMs: number;
  readonly sinceMs: number;
  readonly toMs: number;
  /** Whether its partials get sketches. */
  readonly hasSketches: boolean;
};

/** Returns SQL for the number of input rows of a fold, and their first and last time. */
export function foldExtentSql({ level, sinceMs, toMs }: Fold): string {
  const { table, time, arrived } = foldSource(level);
  return `SELECT count(*)::DOUBLE, min(${time})::DOUBLE, max(${time})::DOUBLE FROM ${table} WHERE ${betweenSql(arrived, sinceMs, toMs)}`;
}

/** Returns SQL for the windows of a fold, in order: start, number of input rows, least and greatest series. */
export function foldedWindowsSql({ level, windowMs, sinceMs, toMs }: Fold): string {
  const { table, time, arrived } = foldSource(level);
  return `SELECT (${alignedSql(time, windowMs)})::DOUBLE AS start, count(*)::DOUBLE, min(series), max(series)
FROM ${table} WHERE ${betweenSql(arrived, sinceMs, toMs)} GROUP BY start ORDER BY start`;
}

/** The windows that one statement folds, by their start; with codes, of the series in [firstSeries, endSeries). */
export type FoldedPart = {
  readonly sinceMs: number;
  readonly toMs: number;
  readonly firstSeries?: number;
  readonly endSeries?: number;
};

/**
 * Returns SQL that folds a part of the windows into a level: from raw readings for level 0, otherwise from
 * the partials of the next finer level. Rows are inserted by window, so that a later read by window skips most of the
 * table. A partial gets a sketch only if that counts the same readings.
 */
export function foldSql(fold: Fold, part: FoldedPart): string {
  const { level, hasSketches } = fold;
  const source = foldedRows(fold, foldSource(level), part);
  const merged = `(${source.raw ? rawPartialsSql(source) : mergeSql([source])}) AS merged`;
  // By name, because the finest level has no column for sketches.
  const insert = `INSERT INTO ${partialsTable(level)} BY NAME SELECT merged.* EXCLUDE (from_raw)`;
  const order = "ORDER BY window_start, series";
  if (!hasSketches) return `${insert} FROM ${merged} ${order}`;
  const sketched = `(${foldedSketchesSql(foldedRows(fold, sketchSource(level), part))}) AS sketched`;
  return `${insert}, CASE WHEN sketched.readings = merged.count THEN sketched.sketch END AS sketch
FROM ${merged} LEFT JOIN ${sketched} USING (series, window_start, segment) ${order}`;
}

/** The rows of a source that a fold reads, with the keys of its level. */
function foldedRows(
  { windowMs, segmentMs, sinceMs, toMs }: Fold,
  { table, time, arrived }: ReturnType<typeof foldSource>,
  part: FoldedPart,
): PartialSource {
  const { firstSeries = Number.NEGATIVE_INFINITY, endSeries = Number.POSITIVE_INFINITY } = part;
  return {
    table,
    raw: table === rawTable,
    where: [
      betweenSql(arrived, sinceMs, toMs),
      betweenSql(time, part.sinceMs, part.toMs),
      betweenSql("series", firstSeries, endSeries),
    ].join(" AND "),
    keys: { window_start: alignedSql(time, windowMs), segment: alignedSql(arrived, segmentMs) },
  };
}

/**
 * Returns SQL for a column of milliseconds (never before `origin` here) rounded down to a multiple of `size` since
 * `origin`.
 */
export function alignedSql(column: string, size: number, origin = 0): string {
  return `${column} - ${origin === 0 ? column : `(${column} - ${origin})`} % ${size}`;
}

/** Returns SQL for `column` in [since, to); an infinite bound is no bound. */
export function betweenSql(column: string, since: number, to: number): string {
  const conditions = [
    ...(Number.isFinite(since) ? [`${column} >= ${since}`] : []),
    ...(Number.isFinite(to) ? [`${column} < ${to}`] : []),
  ];
  return conditions.length > 0 ? conditions.join(" AND ") : "true";
}
