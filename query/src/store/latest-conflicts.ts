import type { SensorName } from "@devicemesh/proto";

/** A message that was not stored, because a reading with its identity and another value is stored. */
export type ConflictFound = {
  readonly timestampMs: number;
  readonly storedValue: number;
  readonly refusedValue: number;
  /** Arrival of the rejected one, by the log's clock. */
  readonly arrivedMs: number;
};

/** The number of duplicates and conflicts of a series; at least one. */
export type SeriesDuplicates = {
  readonly deviceId: string;
  readonly sensor: SensorName;
  readonly duplicates: number;
  readonly conflicts: number;
  /** The newest first, at most `latestConflictsMax`; fewer if the store has discarded old ones. */
  readonly latestConflicts: readonly ConflictFound[];
};
/** Number of the latest conflicts of a series that a store keeps. */
export const latestConflictsMax = 5;

/** Returns the latest of these conflicts, the newest first, each once. Pure. */
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
