import { alignDown, type Level } from "@devicemesh/proto";
import type { DuckDBConnection } from "@duckdb/node-api";
import { partialsTable } from "./store-sql.ts";

/** How long to keep what, by the device's clock, in ms; undefined keeps for ever. */
export type Retention = {
  readonly rawMs: number | undefined;
  /** For each level, the finest first. */
  readonly levelsMs: readonly (number | undefined)[];
};

/** From which timestamp on all is kept, in ms since 1970; -Infinity if nothing has expired. */
export type KeptSince = {
  readonly rawMs: number;
  readonly levelsMs: readonly number[];
};

/**
 * How much earlier than its limit a reading is refused by ingest: it keeps the raw readings, which tell
 * repeats, longer than readings of that age are accepted.
 */
const refusalMarginMs = 3_600_000;

/** The earliest timestamp (ms) that ingest may accept now, so that a repeat can always be told. */
export function earliestAcceptedMs(retention: Retention, nowMs: number): number {
  return retention.rawMs === undefined ? Number.NEGATIVE_INFINITY : nowMs - retention.rawMs;
}

/**
 * What is to be kept at `nowMs`: each limit is rounded down to windows of the coarsest level, and nothing
 * that was given up before comes back.
 */
export function keptSinceAt(options: {
  readonly retention: Retention;
  readonly levels: readonly Level[];
  readonly before: KeptSince;
  readonly nowMs: number;
}): KeptSince {
  const { retention, levels, before, nowMs } = options;
  const grain = levels.at(-1)?.windowMs ?? 1;
  const limit = (keepMs: number | undefined): number =>
    keepMs === undefined ? Number.NEGATIVE_INFINITY : alignDown(nowMs - keepMs - refusalMarginMs, grain);
  return {
    rawMs: Math.max(before.rawMs, limit(retention.rawMs)),
    levelsMs: before.levelsMs.map((kept, level) => Math.max(kept, limit(retention.levelsMs[level]))),
  };
}

/**
 * What is wrong with the settings, or undefined: a level must be kept at least as long as all that is
 * finer, or the coarse answer would end before the fine one. `names` are those of the raw readings and of
 * each level, as whoever set them knows them.
 */
export function retentionProblem(
  { rawMs, levelsMs }: Retention,
  names: readonly string[] = ["raw readings", ...levelsMs.map((_, level) => `level ${level}`)],
): string | undefined {
  const kept = [rawMs, ...levelsMs].map((ms) => ms ?? Number.POSITIVE_INFINITY);
  const shorter = kept.findIndex((ms, place) => place > 0 && ms < (kept[place - 1] as number));
  if (shorter < 0) return undefined;
  return `${names[shorter]} must be at least as long as ${names[shorter - 1]}, which is finer`;
}

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

  async function transact(change: () => Promise<void>): Promise<void> {
    await connection.run("BEGIN TRANSACTION");
    try {
      await change();
      await connection.run("COMMIT");
    } catch (error) {
      await connection.run("ROLLBACK").catch(() => {});
      throw error;
    }
  }

  return {
    keptSince: () => kept,
    async run() {
      const now = nowMs();
      const next = keptSinceAt({ retention, levels, before: kept, nowMs: now });
      if (!isSame(next, kept)) {
        await transact(() => publish(next));
        kept = next;
        due = undefined;
      }
      if (!hasLimit(kept)) return;
      due ??= { frontiers: frontiersMs(), atMs: now + readersGraceMs };
      if (now < due.atMs) return;
      const { frontiers } = due;
      await transact(() => deleteExpired(frontiers));
      due = undefined;
    },
  };
}

function isSame(a: KeptSince, b: KeptSince): boolean {
  return a.rawMs === b.rawMs && a.levelsMs.every((ms, level) => ms === b.levelsMs[level]);
}

function hasLimit({ rawMs, levelsMs }: KeptSince): boolean {
  return [rawMs, ...levelsMs].some(Number.isFinite);
}
