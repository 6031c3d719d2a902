import { alignDown, type Level } from "@devicemesh/proto";
import type { DuckDBConnection } from "@duckdb/node-api";
import type { ArrivalClock } from "../append/commit-clock.ts";
import type { DuckdbMessageLog } from "../append/duckdb-message-log.ts";
import type { DuckdbTransactions } from "../database/duckdb-writes.ts";
import { type Fold, foldExtentSql, foldSql } from "../database/store-sql.ts";
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

  async function foldLevel(level: number, toMs: number): Promise<void> {
    const sinceMs = frontiersMs[level] as number;
    if (toMs <= sinceMs) return;
    const fold: Fold = { level, ...(levels[level] as Level), sinceMs, toMs };
    await transactions.run(connection, async () => {
      const result = await connection.runAndReadAll(foldExtentSql(fold));
      const [rows = 0, firstMs = 0, lastMs = 0] = (result.getRows()[0] ?? []) as number[];
      for (const span of foldSpans({ rows, firstMs, lastMs, windowMs: fold.windowMs })) {
        await connection.run(foldSql(fold, span));
      }
      await connection.run(`UPDATE levels SET frontier = ${toMs} WHERE level = ${level}`);
    });
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
