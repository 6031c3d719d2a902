import {
  hasDeleted,
  isSameKeptSince,
  type KeptSince,
  keptSinceAt,
  type Level,
  type Retention,
} from "@devicemesh/proto";
import { firstSketchedLevel } from "@devicemesh/query";
import type { DuckDBConnection } from "@duckdb/node-api";
import type { DuckdbTransactions } from "../database/duckdb-writes.ts";
import { partialsTable } from "../database/store-sql.ts";

/** Longer than any query may take. */
const readersGraceMs = 61_000;

/** Deletes expired data. */
export type DuckdbRetention = {
  /**
   * Publishes new marks when they are due. A minute later it deletes the data before them that, by the frontiers of
   * that time, is folded into the next level: no answer in progress needs it then.
   */
  run(): Promise<void>;
};

/** Creates the retention; only it deletes on this database. */
export function createDuckdbRetention(dependencies: {
  readonly connection: DuckDBConnection;
  readonly transactions: Pick<DuckdbTransactions, "run">;
  readonly levels: readonly Level[];
  readonly retention: Retention;
  readonly stored: KeptSince;
  readonly nowMs: () => number;
  readonly frontiersMs: () => readonly number[];
  /** Called with new limits once they are stored. */
  readonly onKeptSince: (keptSince: KeptSince) => void;
}): DuckdbRetention {
  const { connection, transactions, levels, retention, nowMs, frontiersMs, onKeptSince } = dependencies;
  let kept = dependencies.stored;
  // The next deletion and its time, when no answer is in progress that was planned with older marks or frontiers.
  let due: { readonly frontiers: readonly number[]; readonly atMs: number } | undefined;

  async function deleteExpired(frontiers: readonly number[]): Promise<void> {
    if (Number.isFinite(kept.rawMs)) {
      // The first level with sketches is folded from raw readings too.
      const folded = frontiers[firstSketchedLevel] ?? frontiers.at(-1);
      await connection.run(`DELETE FROM readings WHERE ts < ${kept.rawMs} AND arrived < ${folded}`);
    }
    for (const [level, limitMs] of kept.levelsMs.entries()) {
      if (!Number.isFinite(limitMs)) continue;
      // The coarsest level has no level above it to wait for.
      const folded = frontiers[level + 1] ?? frontiers[level];
      await connection.run(
        `DELETE FROM ${partialsTable(level)} WHERE window_start < ${limitMs} AND segment < ${folded}`,
      );
    }
  }

  async function publish({ rawMs, levelsMs }: KeptSince): Promise<void> {
    await connection.run("DELETE FROM kept_since");
    for (const [place, since] of [rawMs, ...levelsMs].entries()) {
      if (Number.isFinite(since))
        await connection.run(`INSERT INTO kept_since VALUES (${place - 1}, ${since})`);
    }
  }

  return {
    async run() {
      const now = nowMs();
      const next = keptSinceAt({ retention, levels, before: kept, nowMs: now });
      if (!isSameKeptSince(next, kept)) {
        await transactions.run(connection, () => publish(next));
        kept = next;
        onKeptSince(kept);
        due = undefined;
      }
      if (!hasDeleted(kept)) return;
      due ??= { frontiers: frontiersMs(), atMs: now + readersGraceMs };
      if (now < due.atMs) return;
      const { frontiers } = due;
      await transactions.run(connection, () => deleteExpired(frontiers));
      due = undefined;
    },
  };
}
