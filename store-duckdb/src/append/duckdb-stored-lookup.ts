import type { DuckDBConnection } from "@duckdb/node-api";
import { appendAll, type ColumnWriter } from "../database/duckdb-writes.ts";
import type { ReadingColumns } from "./duplicate-filter.ts";

/**
 * Looks up which of the readings are stored, inside the connection's transaction. It reads only rows in the readings'
 * span of time, so the cost depends on the span, not on the store.
 * @returns the stored value of an identity, or undefined.
 */
export async function findStored(
  connection: DuckDBConnection,
  writer: ColumnWriter,
  readings: ReadingColumns,
): Promise<(series: number, timestampMs: number) => number | undefined> {
  await connection.run(
    "CREATE OR REPLACE TEMP TABLE possible_duplicates (series INTEGER, ts BIGINT, value DOUBLE)",
  );
  await appendAll(connection, "possible_duplicates", (appender) => writer.write(appender, readings));
  const [since, through] = extent(readings);
  const result = await connection.runAndReadAll(
    `SELECT DISTINCT readings.series, readings.ts::DOUBLE, readings.value FROM readings JOIN possible_duplicates USING (series, ts)
     WHERE readings.ts BETWEEN ${since} AND ${through}`,
  );
  const [series = [], timestamps = [], values = []] = result.getColumns() as number[][];
  const found = new Map<number, Map<number, number>>();
  for (const [row, code] of series.entries()) {
    let ofSeries = found.get(code);
    if (!ofSeries) {
      ofSeries = new Map();
      found.set(code, ofSeries);
    }
    ofSeries.set(timestamps[row] as number, values[row] as number);
  }
  return (code, timestampMs) => found.get(code)?.get(timestampMs);
}

function extent({ length, timestampsMs }: ReadingColumns): [number, number] {
  let least = Number.POSITIVE_INFINITY;
  let greatest = Number.NEGATIVE_INFINITY;
  for (let row = 0; row < length; row++) {
    const ms = timestampsMs[row] as number;
    if (ms < least) least = ms;
    if (ms > greatest) greatest = ms;
  }
  return [least, greatest];
}
