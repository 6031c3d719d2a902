import { copyFile, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";

/** DuckDB over a copy of the store's file, of which only the raw readings are read: the yardstick of the full range. */
export type RawScan = AsyncDisposable & {
  /** Scans the raw readings of [sinceMs, toMs), grouped by sensor; returns the elapsed ms. */
  run(span: { readonly sinceMs: number; readonly toMs: number }): Promise<number>;
};

/** The figures of an answer, without the times of the extremes, which would make the scan dearer. */
const scanSql = `SELECT sensor, count(*), sum(value), avg(value), min(value), max(value), stddev_pop(value),
  min(ts), arg_min(value, ts), max(ts), arg_max(value, ts)
FROM readings JOIN series ON readings.series = series.code
WHERE ts >= $1 AND ts < $2 GROUP BY sensor`;

/** Copies the store's file and prepares the statement, with one thread like a statement of the store. */
export async function openRawScan(options: {
  readonly file: string;
  readonly cache: string;
  /** The number of rows of the result. */
  readonly rows: number;
}): Promise<RawScan> {
  const folder = await mkdtemp(join(options.cache, "scan-"));
  await using opening = new AsyncDisposableStack();
  opening.defer(() => rm(folder, { recursive: true, force: true }));
  const copy = join(folder, "readings.duckdb");
  await copyFile(options.file, copy);
  const instance = await DuckDBInstance.create(copy, { threads: "1", access_mode: "READ_ONLY" });
  opening.defer(() => instance.closeSync());
  const connection = await instance.connect();
  opening.defer(() => connection.closeSync());
  const statement = await connection.prepare(scanSql);
  opening.defer(() => statement.destroySync());
  const resources = opening.move();
  return {
    async run({ sinceMs, toMs }) {
      const startMs = performance.now();
      statement.bindBigInt(1, BigInt(sinceMs));
      statement.bindBigInt(2, BigInt(toMs));
      const result = await statement.runAndReadAll();
      const elapsedMs = performance.now() - startMs;
      if (result.currentRowCount !== options.rows) {
        throw new Error(`${options.rows} rows expected, the scan returned ${result.currentRowCount}`);
      }
      return elapsedMs;
    },
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}
