// How the store writes: in transactions, and rows by the appender, in columns.
import {
  BIGINT,
  DOUBLE,
  type DuckDBAppender,
  type DuckDBConnection,
  DuckDBDataChunk,
  INTEGER,
} from "@duckdb/node-api";
import bindings from "@duckdb/node-bindings";
import type { ReadingColumns } from "../append/duplicate-filter.ts";

/**
 * Runs a change in one transaction, all of it or none.
 * @throws what the change or the engine throws; nothing of the change is stored then.
 */
export async function inTransaction<Result>(
  connection: Pick<DuckDBConnection, "run">,
  change: () => Promise<Result>,
): Promise<Result> {
  await begin(connection);
  try {
    const result = await change();
    await connection.run("COMMIT");
    return result;
  } catch (error) {
    // The cause is what the caller needs; a rollback that fails too is done before the next transaction.
    await connection.run("ROLLBACK").catch(() => {});
    throw error;
  }
}

/** Without memory even a rollback fails, and then the connection refuses every statement until one has succeeded. */
async function begin(connection: Pick<DuckDBConnection, "run">): Promise<void> {
  try {
    await connection.run("BEGIN TRANSACTION");
  } catch {
    await connection.run("ROLLBACK").catch(() => {});
    await connection.run("BEGIN TRANSACTION");
  }
}

/** Appends rows to a table: all of them or, if `write` or the database fails, none. */
export async function appendAll(
  connection: DuckDBConnection,
  table: string,
  write: (appender: DuckDBAppender) => void,
): Promise<void> {
  const appender = await connection.createAppender(table);
  try {
    write(appender);
    appender.closeSync();
  } catch (error) {
    // An appender flushes its rows when it is garbage-collected, after our transaction has ended.
    appender.clear();
    throw error;
  }
}

const chunkRows = bindings.vector_size();
const twoTo32 = 4_294_967_296;

/**
 * Writes readings to an appender of (series, ts, value) or, with `arrivedMs`, of (series, ts, value, arrived), chunk by
 * chunk from typed arrays: an order of magnitude cheaper than value by value. Milliseconds are written as pairs of
 * 32-bit halves, so that no bigint is allocated for a row.
 */
export type ColumnWriter = {
  write(appender: DuckDBAppender, columns: ReadingColumns, arrivedMs?: number): void;
};

/** Creates a writer with its own buffers of one chunk; not for concurrent transactions. */
export function createColumnWriter(): ColumnWriter {
  const timestamps = new Int32Array(chunkRows * 2);
  const arrived = new Int32Array(chunkRows * 2);
  return {
    write(appender, columns, arrivedMs) {
      if (arrivedMs !== undefined) fillMilliseconds(arrived, arrivedMs);
      for (let start = 0; start < columns.length; start += chunkRows) {
        const rows = Math.min(chunkRows, columns.length - start);
        splitMilliseconds(columns.timestampsMs, start, rows, timestamps);
        const types = [INTEGER, BIGINT, DOUBLE, ...(arrivedMs === undefined ? [] : [BIGINT])];
        const chunk = DuckDBDataChunk.create(types);
        copy(chunk, 0, columns.series, start * 4, rows * 4);
        copy(chunk, 1, timestamps, 0, rows * 8);
        copy(chunk, 2, columns.values, start * 8, rows * 8);
        if (arrivedMs !== undefined) copy(chunk, 3, arrived, 0, rows * 8);
        chunk.rowCount = rows;
        appender.appendDataChunk(chunk);
      }
    },
  };
}

function copy(
  chunk: DuckDBDataChunk,
  column: number,
  source: Int32Array | Float64Array,
  offset: number,
  bytes: number,
): void {
  const vector = bindings.data_chunk_get_vector(chunk.chunk, column);
  bindings.copy_data_to_vector(vector, 0, source.buffer as ArrayBuffer, source.byteOffset + offset, bytes);
}

function splitMilliseconds(source: Float64Array, start: number, rows: number, into: Int32Array): void {
  for (let row = 0; row < rows; row++) {
    const ms = source[start + row] as number;
    const high = Math.floor(ms / twoTo32);
    into[row * 2] = ms - high * twoTo32;
    into[row * 2 + 1] = high;
  }
}

function fillMilliseconds(into: Int32Array, ms: number): void {
  const high = Math.floor(ms / twoTo32);
  for (let row = 0; row < chunkRows; row++) {
    into[row * 2] = ms - high * twoTo32;
    into[row * 2 + 1] = high;
  }
}
