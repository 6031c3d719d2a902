import type { AdmitOlder, AdmitSeries } from "@devicemesh/ingest";
import type { FoundDuplicates } from "../append/duckdb-duplicates.ts";
import type { SeriesRegistry } from "./series-registry.ts";

/** The maximum number of series. */
export type SeriesLimits = {
  /** In the store. */
  readonly max: number;
  /** Created by one publisher since the process started; publishers without identity count as one. */
  readonly maxPerPublisher: number;
};

/** One million; a quarter of them by one publisher. */
export const defaultSeriesLimits: SeriesLimits = { max: 1_000_000, maxPerPublisher: 250_000 };

/** Counts the series that each publisher has created. It outlives the store when that is opened again. */
export type SeriesMade = Map<string, number>;

/**
 * Decides whether a reading may create a series. An admitted series has its code from then on, so that the limits hold
 * for any number of readings in flight; it is stored with its first reading.
 */
export function createSeriesAdmission(
  registry: Pick<SeriesRegistry, "has" | "codeOf" | "size">,
  { max, maxPerPublisher }: SeriesLimits,
  madeBy: SeriesMade = new Map(),
): AdmitSeries {
  return (deviceId, sensorCode, publisher = "") => {
    if (registry.has(deviceId, sensorCode)) return undefined;
    if (registry.size >= max) {
      return `would begin a new series: the store has ${registry.size}, at most ${max} are accepted (--max-series)`;
    }
    const made = madeBy.get(publisher) ?? 0;
    if (made >= maxPerPublisher) {
      const who = publisher === "" ? "publishers without identity have" : `${publisher} has`;
      return `would begin a new series: ${who} begun ${made} since the server was started, at most ${maxPerPublisher} are accepted (--max-series-per-publisher)`;
    }
    madeBy.set(publisher, made + 1);
    registry.codeOf(deviceId, sensorCode);
    return undefined;
  };
}

const hourMs = 3_600_000;

/** Default number of duplicates and conflicts of one device an hour that are looked up. */
export const defaultDuplicatesPerHour = 1_000_000;

/** Limits the work that a device can cause with readings that are already stored. */
export type DuplicatesQuota = {
  /** Counts the duplicates of a commit. */
  add(found: FoundDuplicates): void;
  /**
   * Whether a reading is accepted. Of a device beyond its quota only readings later than all of their series are
   * accepted until the hour ends: an older one may be a duplicate, and finding out costs a look-up in the store.
   */
  readonly admit: AdmitOlder;
};

/** Creates the quota; `maxPerHour` applies to each device and each hour of the log's clock. */
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
