import type { DeviceMessage } from "@devicemesh/proto";
import { latestConflicts, type SeriesDuplicates } from "../../src/store/latest-conflicts.ts";

/** Creates the counts of duplicates and conflicts of each series. */
export function createDuplicateCounts() {
  const bySeries = new Map<string, SeriesDuplicates>();
  return {
    /** Counts a message with the identity of a stored one. */
    add({ deviceId, sensor, timestampMs, value }: DeviceMessage, stored: number, arrivedMs: number): void {
      const key = `${deviceId}|${sensor}`;
      const before = bySeries.get(key);
      const isConflict = stored !== value;
      const conflict = { timestampMs, storedValue: stored, refusedValue: value, arrivedMs };
      bySeries.set(key, {
        deviceId,
        sensor,
        duplicates: (before?.duplicates ?? 0) + Number(!isConflict),
        conflicts: (before?.conflicts ?? 0) + Number(isConflict),
        latestConflicts: latestConflicts([
          ...(isConflict ? [conflict] : []),
          ...(before?.latestConflicts ?? []),
        ]),
      });
    },
    /** The counts of all series that have some, in any order. */
    all: (): readonly SeriesDuplicates[] => [...bySeries.values()],
    /** The count over all series. */
    sum: (kind: "duplicates" | "conflicts"): number =>
      [...bySeries.values()].reduce((sum, series) => sum + series[kind], 0),
  };
}
