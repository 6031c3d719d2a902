import { alignDown, type Level } from "@devicemesh/proto";
import { firstSketchedLevel } from "@devicemesh/query";
import type { DuckDBConnection } from "@duckdb/node-api";
import type { ArrivalClock } from "../append/commit-clock.ts";
import type { DuckdbMessageLog } from "../append/duckdb-message-log.ts";
import { isOutOfMemory } from "../database/duckdb-failure.ts";
import type { DuckdbTransactions } from "../database/duckdb-writes.ts";
import {
  type Fold,
  type FoldedPart,
  foldExtentSql,
  foldedWindowsSql,
  foldSql,
} from "../database/store-sql.ts";
import { foldParts } from "./fold-parts.ts";
import { foldSpans } from "./fold-spans.ts";

/** Folds closed segments into the levels of windows and moves the frontiers. */
export type DuckdbFolder = {
  /** Folds every closed segment, level by level, each in one transaction. */
  foldClosedSegments(): Promise<void>;
  /** The frontier of each level, the finest first, in ms since 1970. */
  frontiersMs(): readonly number[];
};

/** Creates the fold. It is the only writer of partials and frontiers on this database. */
export function createDuckdbFolder(dependencies: {
  readonly connection: DuckDBConnection;
  readonly transactions: Pick<DuckdbTransactions, "run">;
  readonly levels: readonly Level[];
  readonly frontiersMs: readonly number[];
  /** Called with the frontiers whenever one has moved. */
  readonly onFrontiers: (frontiersMs: readonly number[]) => void;
  readonly log: Pick<DuckdbMessageLog, "sealBefore">;
  readonly clock: ArrivalClock;
}): DuckdbFolder {
  const { connection, transactions, levels, log, clock, onFrontiers } = dependencies;
  let frontiersMs = dependencies.frontiersMs;
  let folding: Promise<void> | undefined;

  async function rowsOf(sql: string): Promise<number[][]> {
    return (await connection.runAndReadAll(sql)).getRows() as number[][];
  }

  async function partsOf(fold: Fold): Promise<readonly FoldedPart[]> {
    const { windowMs } = fold;
    if (fold.level < firstSketchedLevel) {
      const [[rows = 0, firstMs = 0, lastMs = 0] = []] = await rowsOf(foldExtentSql(fold));
      return foldSpans({ rows, firstMs, lastMs, windowMs });
    }
    const windows = await rowsOf(foldedWindowsSql(fold));
    return foldParts(
      windows.map(([startMs = 0, rows = 0, firstSeries = 0, lastSeries = 0]) => ({
        startMs,
        rows,
        firstSeries,
        lastSeries,
      })),
      windowMs,
    );
  }

  function foldInto(fold: Fold): Promise<void> {
    const { level, toMs } = fold;
    return transactions.run(connection, async () => {
      for (const part of await partsOf(fold)) await connection.run(foldSql(fold, part));
      await connection.run(`UPDATE levels SET frontier = ${toMs} WHERE level = ${level}`);
    });
  }

  async function foldLevel(level: number, toMs: number): Promise<void> {
    const sinceMs = frontiersMs[level] as number;
    if (toMs <= sinceMs) return;
    const hasSketches = level >= firstSketchedLevel;
    const fold: Fold = { level, ...(levels[level] as Level), sinceMs, toMs, hasSketches };
    // After the first attempt memory counts as short, so the second runs without reads beside it. If that is not enough,
    // the frontier must move nevertheless: raw readings stand in for the sketches.
    const attempts = hasSketches ? [fold, fold, { ...fold, hasSketches: false }] : [fold];
    for (const [place, attempt] of attempts.entries()) {
      try {
        await foldInto(attempt);
        break;
      } catch (error) {
        if (place === attempts.length - 1 || !isOutOfMemory(error)) throw error;
      }
    }
    frontiersMs = frontiersMs.with(level, toMs);
    onFrontiers(frontiersMs);
  }

  async function foldAll(): Promise<void> {
    let toMs = clock.nowMs();
    for (const [level, { segmentMs }] of levels.entries()) {
      toMs = alignDown(toMs, segmentMs);
      // Everything that arrived before a closed segment's end is committed, and nothing more can arrive before it.
      if (level === 0) await log.sealBefore(toMs);
      await foldLevel(level, toMs);
    }
  }

  return {
    foldClosedSegments() {
      folding ??= foldAll().finally(() => {
        folding = undefined;
      });
      return folding;
    },
    frontiersMs: () => frontiersMs,
  };
}
