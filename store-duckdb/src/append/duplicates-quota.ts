import type { AdmitOlder } from "@devicemesh/ingest";
import type { SeriesRegistry } from "../series/series-registry.ts";
import type { FoundDuplicates } from "./duckdb-duplicates.ts";

const hourMs = 3_600_000;

/** How many duplicates and conflicts of one device an hour are looked up, unless told otherwise. */
export const defaultDuplicatesPerHour = 1_000_000;

/** Limits how much work a device can cause with readings that are stored already. */
export type DuplicatesQuota = {
  /** Counts what a commit found. */
  add(found: FoundDuplicates): void;
  /**
   * Whether a reading is accepted. Of a device beyond its quota only readings that are later than all of their series
   * are, until the hour ends: an older one may be a duplicate, and to find out costs a look into the store.
   */
  readonly admit: AdmitOlder;
};

/** Makes the quota; `maxPerHour` counts for each device and each hour of the log's clock. */
export function createDuplicatesQuota(options: {
  readonly maxPerHour: number;
  readonly registry: Pick<SeriesRegistry, "get" | "isLatest">;
  /** Ms since 1970. */
  readonly nowMs: () => number;
}): DuplicatesQuota {
  const { maxPerHour, registry, nowMs } = options;
  let hour = 0;
  const counts = new Map<string, number>();
  const beyond = new Set<string>();

  function beginHour(): void {
    const current = Math.floor(nowMs() / hourMs);
    if (current === hour) return;
    hour = current;
    counts.clear();
    beyond.clear();
  }

  return {
    add(found) {
      if (found.size === 0) return;
      beginHour();
      for (const [series, { duplicates, conflicts }] of found) {
        const { deviceId } = registry.get(series);
        const count = (counts.get(deviceId) ?? 0) + duplicates + conflicts;
        counts.set(deviceId, count);
        if (count > maxPerHour) beyond.add(deviceId);
      }
    },
    admit(deviceId, sensorCode, timestampMs) {
      if (beyond.size === 0 || !beyond.has(deviceId)) return undefined;
      beginHour();
      if (!beyond.has(deviceId) || registry.isLatest(deviceId, sensorCode, timestampMs)) return undefined;
      const until = new Date((hour + 1) * hourMs).toISOString();
      return `the device has sent more than ${maxPerHour} duplicates and conflicts in this hour: until ${until} only readings later than those stored are accepted`;
    },
  };
}
