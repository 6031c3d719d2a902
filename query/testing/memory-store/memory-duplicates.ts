import { alignDown } from "@devicemesh/proto";
import { mergePartials } from "../../src/plan/merge.ts";
import type { DuplicateWindow, RepairScan, SeriesFilter } from "../../src/store/reading-store.ts";
import { isOf, matcher, partialOfStored, type StoredPartial, type StoredReading } from "./memory-scans.ts";

/** The windows with duplicates of a memory store, and their repairs. */
export type MemoryDuplicates = {
  /** Records a duplicate at its arrival. */
  readonly copies: readonly StoredReading[];
  add(copy: StoredReading): void;
  find(filter: SeriesFilter): DuplicateWindow[];
  /** Repairs every window from the raw readings that arrived before the frontier. */
  repair(readings: readonly StoredReading[], frontierMs: number): void;
  /** Returns the repairs that the scans name; undefined if one of them no longer exists. */
  repairsOf(scans: readonly RepairScan[]): StoredPartial[] | undefined;
};

type Marked = DuplicateWindow & { readonly partials: readonly StoredPartial[] };

/** Creates an empty one, for finest windows of this size. */
export function createMemoryDuplicates(sizeMs: number): MemoryDuplicates {
  const copies: StoredReading[] = [];
  const windows = new Map<string, Marked>();

  return {
    copies,
    add(copy) {
      copies.push(copy);
      const { deviceId, sensor, arrivedMs } = copy;
      const windowMs = alignDown(copy.timestampMs, sizeMs);
      const key = `${deviceId}|${sensor}|${windowMs}`;
      const known = windows.get(key);
      windows.set(key, {
        ...(known ?? { deviceId, sensor, windowMs, firstDuplicateMs: arrivedMs, partials: [] }),
        lastDuplicateMs: arrivedMs,
      });
    },
    find: (filter) =>
      [...windows.values()].filter(matcher(filter)).map(({ partials: _, ...window }) => window),
    repair(readings, frontierMs) {
      for (const [key, window] of windows) {
        const span = { series: [window], sinceMs: window.windowMs, toMs: window.windowMs + sizeMs };
        const before = readings
          .map(partialOfStored)
          .filter((partial) => partial.segmentMs < frontierMs && isOf(span, partial));
        const [first] = before;
        const partials = first
          ? [{ ...first, ...mergePartials(before), fromRaw: 0, windowMs: window.windowMs }]
          : [];
        windows.set(key, { ...window, partials, repairThroughMs: frontierMs });
      }
    },
    repairsOf(scans) {
      const found: StoredPartial[] = [];
      for (const scan of scans) {
        const made = [...windows.values()].filter(
          (window) => window.repairThroughMs === scan.throughMs && isOf(scan, window),
        );
        if (made.length < (scan.series.length * (scan.toMs - scan.sinceMs)) / sizeMs) return undefined;
        found.push(...made.flatMap(({ partials }) => partials));
      }
      return found;
    },
  };
}
