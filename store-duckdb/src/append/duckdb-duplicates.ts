import { type ConflictFound, latestConflicts, latestConflictsMax } from "@devicemesh/query";
import type { DuckDBConnection } from "@duckdb/node-api";
import { appendAll } from "../database/duckdb-writes.ts";

/** The duplicates and conflicts of one series; the latest conflicts come first. */
export type DuplicatesOfSeries = {
  readonly duplicates: number;
  readonly conflicts: number;
  readonly latest: readonly ConflictFound[];
};

/** The duplicates and conflicts of one commit, by the code of the series. */
export type FoundDuplicates = ReadonlyMap<number, DuplicatesOfSeries>;

/**
 * The duplicates and conflicts by series: counts, and the latest conflicts. Memory and file have the same; about 100
 * bytes for each series with any, and `conflictsMax` conflicts in total.
 */
export type DuckdbDuplicates = {
  /** Returns those of a series; undefined if it has none. */
  get(series: number): DuplicatesOfSeries | undefined;
  /** Writes those of a commit, inside the transaction of the connection. */
  write(connection: DuckDBConnection, found: FoundDuplicates): Promise<void>;
  /** Adds the written ones to memory, once the transaction is committed. */
  committed(found: FoundDuplicates): void;
  /** Number of series with any. */
  readonly size: number;
};

/** Number of conflicts that are kept in total; the oldest are dropped first. */
const conflictsMax = 10_000;

/** Number of additional rows in a table before it is compacted. */
const slackRows = 20_000;

/** Reads the file's state, and keeps it up to date from then on. The tables are those of `createSchema`. */
export async function readDuplicates(connection: DuckDBConnection): Promise<DuckdbDuplicates> {
  const rows = async (sql: string): Promise<number[][]> =>
    (await connection.runAndReadAll(sql)).getRows() as number[][];
  const bySeries = new Map<number, DuplicatesOfSeries>();
  let countRows = 0;
  let conflictRows = 0;
  for (const [series = 0, duplicates = 0, conflicts = 0, written = 0] of await rows(
    `SELECT series, sum(duplicates)::DOUBLE, sum(conflicts)::DOUBLE, count(*)::DOUBLE
     FROM series_repeats GROUP BY series`,
  )) {
    countRows += written;
    bySeries.set(series, { duplicates, conflicts, latest: [] });
  }
  for (const [series = 0, timestampMs = 0, storedValue = 0, refusedValue = 0, arrivedMs = 0] of await rows(
    "SELECT series, ts::DOUBLE, stored, refused, arrived::DOUBLE FROM latest_conflicts",
  )) {
    conflictRows++;
    const latest = [{ timestampMs, storedValue, refusedValue, arrivedMs }];
    mergeInto(bySeries, new Map([[series, { duplicates: 0, conflicts: 0, latest }]]));
  }
  let conflictsKept = discardOldest(bySeries);

  async function append(connection: DuckDBConnection, found: FoundDuplicates): Promise<void> {
    await appendAll(connection, "series_repeats", (appender) => {
      for (const [series, { duplicates, conflicts }] of found) {
        appender.appendInteger(series);
        appender.appendBigInt(BigInt(duplicates));
        appender.appendBigInt(BigInt(conflicts));
        appender.endRow();
      }
    });
    await appendAll(connection, "latest_conflicts", (appender) => {
      for (const [series, { latest }] of found) {
        for (const { timestampMs, storedValue, refusedValue, arrivedMs } of latest) {
          appender.appendInteger(series);
          appender.appendBigInt(BigInt(timestampMs));
          appender.appendDouble(storedValue);
          appender.appendDouble(refusedValue);
          appender.appendBigInt(BigInt(arrivedMs));
          appender.endRow();
        }
      }
    });
  }

  return {
    get: (series) => bySeries.get(series),
    get size() {
      return bySeries.size;
    },
    async write(connection, found) {
      const isFull =
        countRows + found.size > 2 * bySeries.size + slackRows ||
        conflictRows > 2 * conflictsKept + slackRows;
      if (!isFull) return append(connection, found);
      const all = new Map(bySeries);
      mergeInto(all, found);
      const kept = discardOldest(all);
      await connection.run("DELETE FROM series_repeats");
      await connection.run("DELETE FROM latest_conflicts");
      await append(connection, all);
      // If the transaction fails, the tables are longer than recorded: they are compacted later then.
      countRows = all.size;
      conflictRows = kept;
    },
    committed(found) {
      mergeInto(bySeries, found);
      countRows += found.size;
      let fresh = 0;
      for (const { latest } of found.values()) fresh += latest.length;
      conflictRows += fresh;
      conflictsKept += fresh;
      if (conflictsKept > 2 * conflictsMax) conflictsKept = discardOldest(bySeries);
    },
  };
}

/** Collects the duplicates and conflicts of one commit that arrived at this time. */
export function createFoundDuplicates(arrivedMs: number) {
  const found = new Map<number, { duplicates: number; conflicts: number; latest: ConflictFound[] }>();
  return {
    found,
    add(
      series: number,
      timestampMs: number,
      values: { readonly stored: number; readonly refused: number },
    ): void {
      let known = found.get(series);
      if (!known) {
        known = { duplicates: 0, conflicts: 0, latest: [] };
        found.set(series, known);
      }
      const { stored: storedValue, refused: refusedValue } = values;
      if (storedValue === refusedValue) {
        known.duplicates++;
        return;
      }
      known.conflicts++;
      known.latest.unshift({ timestampMs, storedValue, refusedValue, arrivedMs });
      if (known.latest.length > latestConflictsMax) known.latest.pop();
    },
  };
}

function mergeInto(all: Map<number, DuplicatesOfSeries>, found: FoundDuplicates): void {
  for (const [series, { duplicates, conflicts, latest }] of found) {
    const known = all.get(series) ?? { duplicates: 0, conflicts: 0, latest: [] };
    all.set(series, {
      duplicates: known.duplicates + duplicates,
      conflicts: known.conflicts + conflicts,
      latest: latest.length === 0 ? known.latest : latestConflicts([...latest, ...known.latest]),
    });
  }
}

/** Discards the oldest conflicts beyond `conflictsMax`, and returns the number of remaining ones. */
function discardOldest(all: Map<number, DuplicatesOfSeries>): number {
  const arrived = [...all.values()].flatMap(({ latest }) => latest.map(({ arrivedMs }) => arrivedMs));
  if (arrived.length <= conflictsMax) return arrived.length;
  const oldestMs = arrived.sort((a, b) => b - a)[conflictsMax - 1] as number;
  // Those of the last moment that still fit stay too.
  let left = conflictsMax - arrived.indexOf(oldestMs);
  for (const [series, { latest, ...counts }] of all) {
    const kept = latest.filter(
      ({ arrivedMs }) => arrivedMs > oldestMs || (arrivedMs === oldestMs && left-- > 0),
    );
    if (kept.length < latest.length) all.set(series, { ...counts, latest: kept });
  }
  return conflictsMax;
}
