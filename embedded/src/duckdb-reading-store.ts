import type { ChangeSignal } from "@devicemesh/kit/change-signal";
import type { Level } from "@devicemesh/proto";
import type { ReadingStore, SeriesDuplicates, StoreHorizon, StoreStatus } from "@devicemesh/query";
import type { DuckdbDuplicates } from "./duckdb-duplicates.ts";
import type { DuckdbReaders } from "./duckdb-readers.ts";
import { partialsOf, readPartialsSql } from "./partials-reader.ts";
import { findReadings } from "./readings-reader.ts";
import { matchingSeries, seriesCondition } from "./series-filter-sql.ts";
import { byDeviceThenSensor, type RegisteredSeries, type SeriesRegistry } from "./series-registry.ts";
import { partialsTable } from "./store-sql.ts";

/** What the reading store is told by the parts that write. */
export type StoreState = {
  horizon(): StoreHorizon;
  status(): Pick<
    StoreStatus,
    "logEndMs" | "duplicates" | "conflicts" | "storedPerSecond" | "versions" | "refused" | "problems"
  >;
  diskBytes(): Promise<number>;
};

/** The reads of the embedded store; see the port for what they promise. */
export function createDuckdbReadingStore(dependencies: {
  readonly readers: DuckdbReaders;
  readonly registry: SeriesRegistry;
  readonly duplicates: DuckdbDuplicates;
  readonly levels: readonly Level[];
  readonly changes: ChangeSignal;
  readonly state: StoreState;
}): ReadingStore {
  const { readers, registry, duplicates, levels, changes, state } = dependencies;

  function assertAnswering(signal: AbortSignal): void {
    signal.throwIfAborted();
    readers.assertOpen();
  }

  return {
    levels,

    async readHorizon(signal) {
      assertAnswering(signal);
      return state.horizon();
    },

    // It refuses repeats as it commits: no partial ever counts one.
    async readRepeats(_request, signal) {
      assertAnswering(signal);
      return { windows: [] };
    },

    async readPartials({ plan, filter, bucketMs }, signal) {
      assertAnswering(signal);
      // Before the statement: what arrived before this moment is committed, so the statement sees it.
      const { completeThroughMs } = state.horizon();
      const condition = seriesCondition(registry, filter);
      const sql =
        condition === undefined ? undefined : readPartialsSql({ plan, seriesCondition: condition, bucketMs });
      const partials = sql === undefined ? [] : partialsOf(await readers.read(sql, signal), registry);
      return { partials, completeThroughMs };
    },

    async readReadings(request, signal) {
      assertAnswering(signal);
      const condition = seriesCondition(registry, request.filter);
      if (condition === undefined) return [];
      return findReadings({ ...request, seriesCondition: condition, registry, readers }, signal);
    },

    async readSeries({ filter, after, limit }, signal) {
      assertAnswering(signal);
      const matching = matchingSeries(registry, filter);
      const start = after ? firstAfter(matching, after) : 0;
      return { series: matching.slice(start, start + limit), total: matching.length };
    },

    async readDuplicates({ filter, after, limit }, signal) {
      assertAnswering(signal);
      if (duplicates.size === 0) return [];
      const found: SeriesDuplicates[] = [];
      const matching = matchingSeries(registry, filter);
      for (let place = after ? firstAfter(matching, after) : 0; place < matching.length; place++) {
        if (found.length === limit) break;
        const { code, deviceId, sensor } = matching[place] as RegisteredSeries;
        const known = duplicates.get(code);
        if (known) {
          const { latest, ...counts } = known;
          found.push({ deviceId, sensor, ...counts, latestConflicts: latest });
        }
      }
      return found;
    },

    async readStatus(signal) {
      const counts = [
        "(SELECT count(*)::DOUBLE FROM readings)",
        ...levels.map((_, level) => `(SELECT count(*)::DOUBLE FROM ${partialsTable(level)})`),
      ];
      const columns = await readers.read(`SELECT ${counts.join(", ")}`, signal);
      const [storedReadings = 0, ...partialCounts] = columns.map((column) => column[0] as number);
      return {
        ...state.status(),
        horizon: state.horizon(),
        storedReadings,
        partialCounts,
        series: registry.sorted().length,
        diskBytes: await state.diskBytes(),
      };
    },

    watchChanges: (signal) => changes.watch(signal),
  };
}

/** The place of the first series after `after` in a sorted list. */
function firstAfter(
  sorted: readonly { readonly deviceId: string; readonly sensor: string }[],
  after: { readonly deviceId: string; readonly sensor: string },
): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    const series = sorted[middle];
    if (series && byDeviceThenSensor(series, after) <= 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
