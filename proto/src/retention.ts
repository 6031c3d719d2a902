import type { Level } from "./levels.ts";
import { alignDown } from "./timestamp.ts";

/** The retention of data, by the device's clock, in ms; undefined means unlimited. */
export type Retention = {
  readonly rawMs: number | undefined;
  /** The retention of each level, the finest first. */
  readonly levelsMs: readonly (number | undefined)[];
};

/**
 * The retention marks: the timestamps (ms since 1970) before which data may have been deleted; -Infinity if nothing
 * was. A store keeps them durably, raises them before it deletes, and never lowers them, whatever the retention is set
 * to later: deleted data does not come back.
 */
export type KeptSince = {
  readonly rawMs: number;
  /** The mark of each level, the finest first. */
  readonly levelsMs: readonly number[];
};

/** The marks of a store with the given number of levels that has never deleted anything. */
export function nothingDeleted(levels: readonly unknown[]): KeptSince {
  return { rawMs: Number.NEGATIVE_INFINITY, levelsMs: levels.map(() => Number.NEGATIVE_INFINITY) };
}

/**
 * The margin by which ingest rejects readings earlier than their retention requires: the raw readings, which identify
 * duplicates, must be kept longer than readings of that age are accepted.
 */
export const refusalMarginMs = 3_600_000;

/**
 * The earliest timestamp (ms) that ingest may accept now, so that a duplicate is always recognized: neither older than
 * the retention allows nor before the mark of raw readings.
 */
export function earliestAcceptedMs({ rawMs }: Retention, kept: KeptSince, nowMs: number): number {
  return rawMs === undefined ? kept.rawMs : Math.max(kept.rawMs, nowMs - rawMs);
}

/**
 * The marks at `nowMs`: each limit is rounded down to a multiple of its grain, and no mark is ever lowered. The
 * grains default to the windows of the coarsest level; a finer one must be a multiple of the next coarser level's
 * windows (for raw readings: of the finest level's), and no mark's grain may be coarser than that of the next
 * coarser level.
 */
export function keptSinceAt(options: {
  readonly retention: Retention;
  readonly levels: readonly Level[];
  readonly before: KeptSince;
  readonly nowMs: number;
  /** The grains in ms: of the raw readings, then of each level, the finest first. */
  readonly grainsMs?: readonly number[];
  /** `refusalMarginMs` by default. */
  readonly marginMs?: number;
}): KeptSince {
  const { retention, levels, before, nowMs, grainsMs = [], marginMs = refusalMarginMs } = options;
  const limit = (keepMs: number | undefined, place: number): number =>
    keepMs === undefined
      ? Number.NEGATIVE_INFINITY
      : alignDown(nowMs - keepMs - marginMs, grainsMs[place] ?? levels.at(-1)?.windowMs ?? 1);
  return {
    rawMs: Math.max(before.rawMs, limit(retention.rawMs, 0)),
    levelsMs: before.levelsMs.map((kept, level) =>
      Math.max(kept, limit(retention.levelsMs[level], level + 1)),
    ),
  };
}

/** Whether two sets of marks of the same levels are equal. */
export function isSameKeptSince(a: KeptSince, b: KeptSince): boolean {
  return a.rawMs === b.rawMs && a.levelsMs.every((ms, level) => ms === b.levelsMs[level]);
}

/** Whether anything may have been deleted. */
export function hasDeleted({ rawMs, levelsMs }: KeptSince): boolean {
  return [rawMs, ...levelsMs].some(Number.isFinite);
}

/**
 * Returns the problem of the settings, or undefined. A level must be kept at least as long as all finer levels;
 * otherwise the coarse answer would end before the fine one. `names` are the names of the settings of the raw readings
 * and of each level, for the message.
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
