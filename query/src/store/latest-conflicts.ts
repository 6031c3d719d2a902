import type { SensorName } from "@devicemesh/proto";

/** A message that was not stored, because a reading of its identity with another value is. */
export type ConflictFound = {
  readonly timestampMs: number;
  readonly storedValue: number;
  readonly refusedValue: number;
  /** When the refused one arrived, by the log's clock. */
  readonly arrivedMs: number;
};

/** How many duplicates and conflicts a series had; at least one. */
export type SeriesDuplicates = {
  readonly deviceId: string;
  readonly sensor: SensorName;
  readonly duplicates: number;
  readonly conflicts: number;
  /** The newest first, at most `latestConflictsMax`; fewer where the store has discarded old ones. */
  readonly latestConflicts: readonly ConflictFound[];
};
/** How many of the latest conflicts of a series a store keeps. */
export const latestConflictsMax = 5;

/** The latest of these conflicts, the newest first, each once. Pure. */
export function latestConflicts(conflicts: readonly ConflictFound[]): ConflictFound[] {
  const each = new Map(
    conflicts.map((conflict) => [
      `${conflict.timestampMs}|${conflict.refusedValue}|${conflict.arrivedMs}`,
      conflict,
    ]),
  );
  return [...each.values()]
    .sort((a, b) => b.arrivedMs - a.arrivedMs || b.timestampMs - a.timestampMs)
    .slice(0, latestConflictsMax);
}
