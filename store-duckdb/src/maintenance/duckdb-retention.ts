import {
  hasDeleted,
  isSameKeptSince,
  type KeptSince,
  keptSinceAt,
  type Level,
  type Retention,
} from "@devicemesh/proto";
import type { DuckDBConnection } from "@duckdb/node-api";
import { inTransaction } from "../database/duckdb-transaction.ts";
import { partialsTable } from "../database/store-sql.ts";

/** Longer than any question may take. */
const readersGraceMs = 61_000;

/** Deletes what has expired and tells what is kept. */
export type DuckdbRetention = {
  keptSince(): KeptSince;
  /**
   * Publishes new limits as they come due. A minute later deletes what is beyond them and, by the frontiers of
   * then, folded into the next level: no answer that is being read by then needs it.
   */
  run(): Promise<void>;
};

/** Makes the retention; it is the only one that deletes on this database. */
export function createDuckdbRetention(dependencies: {
  readonly connection: DuckDBConnection;
  readonly levels: readonly Level[];
  readonly retention: Retention;
  readonly stored: KeptSince;
  readonly nowMs: () => number;
  readonly frontiersMs: () => readonly number[];
}): DuckdbRetention {
  const { connection, levels, retention, nowMs, frontiersMs } = dependencies;
  let kept = dependencies.stored;
  // What is deleted next, and when: then no answer is being read that was planned with older limits or frontiers.
  let due: { readonly frontiers: readonly number[]; readonly atMs: number } | undefined;

  async function deleteExpired(frontiers: readonly number[]): Promise<void> {
    if (Number.isFinite(kept.rawMs)) {
      await connection.run(`DELETE FROM readings WHERE ts < ${kept.rawMs} AND arrived < ${frontiers[0]}`);
    }
    for (const [level, limitMs] of kept.levelsMs.entries()) {
      if (!Number.isFinite(limitMs)) continue;
      // The coarsest level has nothing above it to wait for.
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
    keptSince: () => kept,
    async run() {
      const now = nowMs();
      const next = keptSinceAt({ retention, levels, before: kept, nowMs: now });
      if (!isSameKeptSince(next, kept)) {
        await inTransaction(connection, () => publish(next));
        kept = next;
        due = undefined;
      }
      if (!hasDeleted(kept)) return;
      due ??= { frontiers: frontiersMs(), atMs: now + readersGraceMs };
      if (now < due.atMs) return;
      const { frontiers } = due;
      await inTransaction(connection, () => deleteExpired(frontiers));
      due = undefined;
    },
  };
}
