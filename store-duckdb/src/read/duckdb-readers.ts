import { type RpcError, unavailable } from "@devicemesh/kit/rpc/rpc-error";
import type { DuckDBConnection, DuckDBPreparedStatement } from "@duckdb/node-api";
import type { DiskReserve } from "../admission.ts";
import { type NumberColumns, numbersOf } from "../database/duckdb-columns.ts";
import { duckdbFailure } from "../database/duckdb-failure.ts";
import { exhausted } from "../database/exhausted.ts";
import type { GatedRead, MemoryGate } from "../database/memory-gate.ts";
import { createHeavyReads, type HeavyReads } from "./heavy-reads.ts";

/** Rows by column: numbers, strings, or null for missing values. */
export type Columns = readonly (readonly (number | string | null)[])[];

/**
 * A statement that is parsed once for each connection, so there must be only a few different texts. Its columns are
 * INTEGER (`i`), DOUBLE (`d`) or BIGINT of milliseconds (`b`) and never null, its parameters BIGINT. An infinite
 * parameter becomes the extreme BIGINT.
 */
export type NumbersQuery = {
  readonly sql: string;
  readonly columns: string;
  readonly parameters: readonly number[];
};

/** A few connections for reading, so that queries neither wait for commits nor use all threads. */
export type DuckdbReaders = {
  /**
   * Runs one statement, which sees a consistent state of the store.
   * @throws the signal's reason if it aborts; RpcError UNAVAILABLE if the store is closed or must be opened again,
   * RESOURCE_EXHAUSTED with a retry delay if memory or disk are insufficient.
   */
  read(sql: string, signal: AbortSignal): Promise<Columns>;
  /** The same, with the rows passed to `visit` in pieces of a few thousand, and other work in between. */
  readEach(sql: string, signal: AbortSignal, visit: (columns: Columns) => void): Promise<void>;
  /**
   * Runs a prepared statement with numeric columns, and passes its rows to `visit` in pieces, each valid only until it
   * returns. Throws like `read`.
   */
  readNumbers(
    query: NumbersQuery,
    signal: AbortSignal,
    visit: (columns: NumberColumns, rows: number) => void,
  ): Promise<void>;
  /** Runs a read of very many series, with statements of these readers. */
  readonly heavily: HeavyReads;
  /** Aborts when the store closes or its database is given up, with the RpcError for callers. */
  readonly closing: AbortSignal;
  /** Interrupts running statements and rejects these and all others, because the database is given up. */
  abandon(rejection: RpcError): void;
  /** Waits for running statements and closes the connections. */
  close(): Promise<void>;
};

/** Number of queries that may wait for a connection; more are rejected, because they would only time out. */
const waitingMax = 1000;

/** Interval of further interrupts, in ms. */
const interruptEveryMs = 20;

/** Creates readers over the connections. */
export function createDuckdbReaders(
  connections: readonly DuckDBConnection[],
  {
    memory,
    giveUp,
    reserve,
    mayReopen = () => true,
    onFailure = () => {},
  }: {
    readonly memory: MemoryGate;
    /** Gives the database up, because the engine has invalidated it or failed; returns the error for callers. */
    readonly giveUp: (error: unknown) => RpcError;
    readonly reserve?: Pick<DiskReserve, "rejection"> | undefined;
    /** Whether a read that failed inside the engine is a reason to open the database again. */
    readonly mayReopen?: (() => boolean) | undefined;
    /** Called with errors whose text callers do not receive. */
    readonly onFailure?: (error: unknown) => void;
  },
): DuckdbReaders {
  const idle = [...connections];
  const waiting: ((connection: DuckDBConnection) => void)[] = [];
  const running = new Set<Promise<unknown>>();
  const statements = new WeakMap<DuckDBConnection, Map<string, DuckDBPreparedStatement>>();
  const closing = new AbortController();
  let abandoned: RpcError | undefined;

  function acquire(): Promise<DuckDBConnection> {
    const connection = idle.pop();
    if (connection) return Promise.resolve(connection);
    if (waiting.length >= waitingMax) {
      throw exhausted("queries", `at most ${waitingMax} wait at a time: try again`);
    }
    return new Promise((resolve) => waiting.push(resolve));
  }

  function release(connection: DuckDBConnection): void {
    const next = waiting.shift();
    if (next) next(connection);
    else idle.push(connection);
  }

  function translated(error: unknown): unknown {
    switch (duckdbFailure(error)) {
      case "invalidated":
        onFailure(error);
        return giveUp(error);
      case "internal":
        onFailure(error);
        return mayReopen() ? giveUp(error) : error;
      case "outOfMemory":
        memory.ranOut();
        return outOfMemory(error);
      case "diskFull":
        return reserve?.rejection(error) ?? error;
      default:
        return error;
    }
  }

  async function onConnection(
    signal: AbortSignal,
    run: (connection: DuckDBConnection) => Promise<void>,
  ): Promise<void> {
    closing.signal.throwIfAborted();
    const connection = await acquire();
    const interrupt = () => connection.interrupt();
    const { promise: ended, resolve: end } = Promise.withResolvers<void>();
    let isInterruptedForWrite = false;
    const read: GatedRead = {
      ended,
      interrupt() {
        isInterruptedForWrite = true;
        interrupt();
      },
    };
    try {
      if (memory.isReserved) await memory.admit(read);
      else memory.reads.add(read);
      signal.throwIfAborted();
      if (abandoned) throw abandoned;
      signal.addEventListener("abort", interrupt, { once: true });
      await run(connection);
    } catch (error) {
      signal.throwIfAborted();
      if (abandoned) throw abandoned;
      throw isInterruptedForWrite ? outOfMemory(error) : translated(error);
    } finally {
      signal.removeEventListener("abort", interrupt);
      memory.reads.delete(read);
      end();
      release(connection);
    }
  }

  function track(reading: Promise<void>): Promise<void> {
    running.add(reading);
    const forget = () => running.delete(reading);
    reading.then(forget, forget);
    return reading;
  }

  function readEach(sql: string, signal: AbortSignal, visit: (columns: Columns) => void): Promise<void> {
    return track(
      onConnection(signal, async (connection) => {
        const result = await connection.run(sql);
        for (;;) {
          const chunk = await result.fetchChunk();
          if (!chunk || chunk.rowCount === 0) return;
          visit(chunk.getColumns() as Columns);
        }
      }),
    );
  }

  async function prepared(connection: DuckDBConnection, sql: string): Promise<DuckDBPreparedStatement> {
    const ofConnection = statements.get(connection) ?? new Map<string, DuckDBPreparedStatement>();
    statements.set(connection, ofConnection);
    const statement = ofConnection.get(sql) ?? (await connection.prepare(sql));
    ofConnection.set(sql, statement);
    return statement;
  }

  function readNumbers(
    { sql, columns, parameters }: NumbersQuery,
    signal: AbortSignal,
    visit: (columns: NumberColumns, rows: number) => void,
  ): Promise<void> {
    return track(
      onConnection(signal, async (connection) => {
        const statement = await prepared(connection, sql);
        for (const [place, value] of parameters.entries()) statement.bindBigInt(place + 1, bigintOf(value));
        const result = await statement.run();
        for (let place = 0; place < result.chunkCount; place++) {
          const { chunk, rowCount } = result.getChunk(place);
          visit(numbersOf(chunk, columns, rowCount), rowCount);
        }
      }),
    );
  }

  return {
    closing: closing.signal,
    readEach,
    readNumbers,
    heavily: createHeavyReads(),
    async read(sql, signal) {
      const columns: (number | string | null)[][] = [];
      await readEach(sql, signal, (piece) => {
        for (const [place, values] of piece.entries()) {
          const column = columns[place];
          if (column) for (const value of values) column.push(value);
          else columns[place] = [...values];
        }
      });
      return columns;
    },
    abandon(rejection) {
      abandoned = rejection;
      closing.abort(rejection);
      const interruptAll = () => {
        for (const connection of connections) connection.interrupt();
      };
      interruptAll();
      // One before a statement begins has no effect.
      const interrupting = setInterval(interruptAll, interruptEveryMs);
      Promise.allSettled(running).then(() => clearInterval(interrupting));
    },
    async close() {
      closing.abort(unavailable({ message: "the store is closing", retryDelayMs: 1000 }));
      await Promise.allSettled(running);
      for (const connection of idle.splice(0)) connection.closeSync();
    },
  };
}

const furthest = 2n ** 63n - 1n;

function bigintOf(value: number): bigint {
  if (Number.isFinite(value)) return BigInt(value);
  return value > 0 ? furthest : -furthest;
}

function outOfMemory(cause: unknown): RpcError {
  return exhausted(
    "memory of the store",
    "the query needs more memory than the store has: choose a shorter timeframe, fewer devices or a larger bucket, or try again when fewer queries run",
    cause,
  );
}
