// How the store writes: in transactions, and rows by the appender, in columns.
import { type RpcError, unavailable } from "@devicemesh/kit/rpc/rpc-error";
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
import { duckdbFailure, isOutOfMemory } from "./duckdb-failure.ts";
import { exhausted } from "./exhausted.ts";
import type { MemoryGate } from "./memory-gate.ts";

/** Runs the changes of one database. */
export type DuckdbTransactions = {
  /**
   * Runs a change in one transaction, all of it or none. `needBytes` is the memory that it takes in the engine, if that
   * is much.
   * @throws what the change or the engine throws; nothing of the change is stored then, unless the engine failed after
   * it had committed. Throws `rejection` if the database is given up.
   */
  run<Result>(
    connection: Pick<DuckDBConnection, "run">,
    change: () => Promise<Result>,
    needBytes?: number,
  ): Promise<Result>;
  /**
   * Gives the database up until it is opened again, because its state in memory may be wrong: no further change runs.
   * Returns the error for callers.
   */
  giveUp(error: unknown): RpcError;
  /** The error for callers once the database is given up: RESOURCE_EXHAUSTED if memory was the cause, or UNAVAILABLE. */
  rejection(): RpcError | undefined;
};

/** Creates the transactions of a database. `onGivenUp` is called once, when it is given up. */
export function createDuckdbTransactions({
  memory,
  onGivenUp = () => {},
}: {
  readonly memory: MemoryGate;
  readonly onGivenUp?: (error: unknown, rejection: RpcError) => void;
}): DuckdbTransactions {
  let rejection: RpcError | undefined;

  function giveUp(error: unknown): RpcError {
    if (rejection) return rejection;
    // A failure soon after one of memory is its consequence.
    rejection = isOutOfMemory(error) || memory.isShort ? lostByMemory(error) : lost(error);
    onGivenUp(error, rejection);
    return rejection;
  }

  async function commit(connection: Pick<DuckDBConnection, "run">): Promise<void> {
    if (rejection) throw rejection;
    try {
      await connection.run("COMMIT");
    } catch (error) {
      // A commit adds rows to the table column by column. If memory runs out in between, the engine's undo leaves the
      // columns with different lengths: later commits fail, or cannot be trusted.
      if (isOutOfMemory(error)) giveUp(error);
      throw error;
    }
  }

  async function runOnce<Result>(
    connection: Pick<DuckDBConnection, "run">,
    change: () => Promise<Result>,
  ): Promise<Result> {
    if (rejection) throw rejection;
    await begin(connection);
    try {
      const result = await change();
      await commit(connection);
      return result;
    } catch (error) {
      // The cause is what the caller needs; a rollback that fails too is done before the next transaction.
      await connection.run("ROLLBACK").catch(() => {});
      throw error;
    }
  }

  return {
    giveUp,
    rejection: () => rejection,
    async run(connection, change, needBytes = 0) {
      try {
        const isAlone = memory.isShort || memory.isReserved || needBytes > memory.leftBytes;
        if (isAlone) return await memory.alone(() => runOnce(connection, change));
        const running = runOnce(connection, change);
        memory.writes.add(running);
        return await running.finally(() => memory.writes.delete(running));
      } catch (error) {
        const failure = duckdbFailure(error);
        if (isOutOfMemory(error)) memory.ranOut();
        if (failure === "internal" || failure === "invalidated") giveUp(error);
        throw error;
      }
    },
  };
}

/** Without memory even a rollback fails, and then the connection rejects every statement until one has succeeded. */
async function begin(connection: Pick<DuckDBConnection, "run">): Promise<void> {
  try {
    await connection.run("BEGIN TRANSACTION");
  } catch {
    await connection.run("ROLLBACK").catch(() => {});
    await connection.run("BEGIN TRANSACTION");
  }
}

function lostByMemory(cause: unknown): RpcError {
  return exhausted(
    "memory of the store",
    "a commit ran out of it, and the database is being opened again: try again",
    cause,
  );
}

function lost(cause: unknown): RpcError {
  const message = "the store's database is being opened again";
  return unavailable({ message, retryDelayMs: 1000, cause });
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
