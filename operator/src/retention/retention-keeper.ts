import {
  hasDeleted,
  isSameKeptSince,
  type KeptSince,
  keptSinceAt,
  type Level,
  type Retention,
  refusalMarginMs,
} from "@devicemesh/proto";
import { announceEveryMs, deletionBatchesMax, deletionBatchMax, deletionDelayMs } from "../limits.ts";
import type { RetentionStore } from "./retention-store.ts";

/** Raises the retention marks of a mesh and deletes the data before them. */
export type RetentionKeeper = {
  /** Does the work that is due; resolves to whether there is more to delete at once. Call it periodically. */
  step(): Promise<{ readonly isMoreDue: boolean }>;
};

/** Returns the grains of the marks: each is a whole number of the next coarser level's windows. */
export function grainsOf(levels: readonly Level[]): readonly number[] {
  const above = (level: number): number => (levels[level] ?? levels.at(-1))?.windowMs ?? 1;
  return [above(1), ...levels.map((_, level) => above(level + 1))];
}

/** Returns the earliest timestamp that ingest may accept under these marks. */
export function acceptedSinceMs({ rawMs }: KeptSince): number {
  return rawMs + refusalMarginMs;
}

/**
 * Creates the keeper of a mesh that has marks. It raises a mark in the database, announces it to ingest, waits, and
 * then deletes: after a crash at any moment, all deleted data lies before the marks. Time is that of the finest
 * frontier: while it does not move, nothing expires.
 */
export function createRetentionKeeper(options: {
  readonly store: RetentionStore;
  /** Announces the earliest timestamp (ms) that it may accept to every ingest. Durable when it resolves. */
  readonly announce: (acceptedSinceMs: number) => Promise<void>;
  readonly levels: readonly Level[];
  readonly retention: Retention;
  /** Ms since 1970. */
  readonly clock: () => number;
  /** `deletionDelayMs` by default. */
  readonly delayMs?: number;
}): RetentionKeeper {
  const { store, announce, levels, retention, clock, delayMs = deletionDelayMs } = options;
  let announced: { readonly marks: KeptSince; readonly atMs: number } | undefined;
  // The next deletion and its time.
  let pending:
    | { readonly marks: KeptSince; readonly frontiersMs: readonly number[]; readonly dueMs: number }
    | undefined;

  async function raise(frontierMs: number): Promise<KeptSince> {
    const before = await store.readMarks();
    if (!before) throw new Error("the mesh has no retention marks");
    const nowMs = Math.min(clock(), frontierMs);
    const marks = keptSinceAt({ retention, levels, before, nowMs, grainsMs: grainsOf(levels) });
    if (!isSameKeptSince(marks, before)) await store.raiseMarks(marks);
    return marks;
  }

  async function announceMarks(marks: KeptSince, nowMs: number): Promise<void> {
    const isKnown = announced !== undefined && isSameKeptSince(announced.marks, marks);
    if (isKnown && Math.abs(nowMs - (announced?.atMs ?? 0)) < announceEveryMs) return;
    await announce(acceptedSinceMs(marks));
    announced = { marks, atMs: nowMs };
  }

  /** Deletes up to `deletionBatchesMax` batches. Resolves to whether everything is deleted. */
  async function deleteExpired(marks: KeptSince, frontiersMs: readonly number[]): Promise<boolean> {
    let batches = 0;
    async function all(deleteBatch: () => Promise<number>): Promise<boolean> {
      for (; batches < deletionBatchesMax; batches++) {
        if ((await deleteBatch()) < deletionBatchMax) return true;
      }
      return false;
    }
    // The second level makes its sketches from raw readings.
    const arrivedBeforeMs = frontiersMs[1] ?? frontiersMs[0] ?? 0;
    if (Number.isFinite(marks.rawMs)) {
      const batch = { beforeMs: marks.rawMs, arrivedBeforeMs, limit: deletionBatchMax };
      if (!(await all(() => store.deleteReadings(batch)))) return false;
    }
    for (const [level, beforeMs] of marks.levelsMs.entries()) {
      if (!Number.isFinite(beforeMs)) continue;
      // Only data that the next coarser level has folded; the coarsest level has none above it.
      const segmentBeforeMs = frontiersMs[level + 1] ?? frontiersMs[level] ?? 0;
      const batch = { level, beforeMs, segmentBeforeMs, limit: deletionBatchMax };
      if (!(await all(() => store.deletePartials(batch)))) return false;
    }
    return true;
  }

  return {
    async step() {
      const frontiersMs = await store.readFrontiers();
      const frontierMs = frontiersMs[0] ?? 0;
      const marks = await raise(frontierMs);
      const nowMs = Math.max(clock(), frontierMs);
      await announceMarks(marks, nowMs);
      if (!hasDeleted(marks)) return { isMoreDue: false };
      pending ??= { marks, frontiersMs, dueMs: nowMs + delayMs };
      if (frontierMs < pending.dueMs) return { isMoreDue: false };
      const isDone = await deleteExpired(pending.marks, pending.frontiersMs);
      if (isDone) pending = undefined;
      return { isMoreDue: !isDone };
    },
  };
}
