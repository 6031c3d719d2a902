import type { ChangeSignal } from "@devicemesh/kit/async/change-signal";
import type { Level } from "@devicemesh/proto";
import type {
  PartialsRead,
  ReadingStore,
  SeriesDuplicates,
  SeriesPartial,
  StoreHorizon,
  StoreStatus,
} from "@devicemesh/query";
import { compareSeries } from "@devicemesh/query/plan/series-order";
import type { RecentReadings } from "../append/commit-clock.ts";
import type { DuckdbDuplicates } from "../append/duckdb-duplicates.ts";
import { type PartialSource, partialsTable } from "../database/store-sql.ts";
import { anyTime, selectSeries } from "../series/select-series.ts";
import { countMatching, seriesCondition, seriesOfDevices } from "../series/series-filter-sql.ts";
import type { RegisteredSeries, SeriesRegistry } from "../series/series-registry.ts";
import { readSketches } from "../sketches/sketch-reader.ts";
import { readByColumns } from "./column-reader.ts";
import type { DuckdbReaders } from "./duckdb-readers.ts";
import { countPartialsSql, partialSources, seriesPartialsOf, seriesPartialsSql } from "./partials-reader.ts";
import type { RawMemory } from "./raw-memory.ts";
import { findReadings } from "./readings-reader.ts";
import { scanReadings } from "./readings-scan.ts";
import { readSensorPartials } from "./sensor-partials-reader.ts";
import { createWindowMemory } from "./window-memory.ts";

/** The state that the writers provide to the reading store. */
export type StoreState = {
  horizon(): StoreHorizon;
  /** No stored reading arrived later than this, ms since 1970. */
  lastArrivedMs(): number;
  /** Ensures that later readings arrive after the current time. */
  seal(): Promise<void>;
  status(): Pick<
    StoreStatus,
    "logEndMs" | "duplicates" | "conflicts" | "storedPerSecond" | "versions" | "refused" | "problems"
  >;
  diskBytes(): Promise<number>;
};

/** A read of this many series is heavy: few of them run at a time. */
const heavyFromSeries = 20_000;

/** For this many devices the last change is looked up: a few tens of microseconds. */
const lastChangeDevicesMax = 100;

/** The reads of the embedded store; see the port for their guarantees. */
export function createDuckdbReadingStore(dependencies: {
  readonly readers: DuckdbReaders;
  readonly registry: SeriesRegistry;
  readonly duplicates: DuckdbDuplicates;
  readonly levels: readonly Level[];
  readonly changes: ChangeSignal;
  readonly state: StoreState;
  /** The raw readings in memory. */
  readonly raw: RawMemory;
  readonly recent: RecentReadings;
  /** From this number of series on, the engine merges devices if requested; 2,000 by default. */
  readonly mergeFromSeries?: number | undefined;
  /** Maximum memory for folded windows, in bytes; with 0, the engine merges them for each query. */
  readonly windowBytesMax: number;
}): Required<ReadingStore> {
  const { readers, registry, duplicates, levels, changes, state, raw, recent } = dependencies;
  const { mergeFromSeries = 2000 } = dependencies;
  const memory = createWindowMemory({
    readers,
    levels,
    registry,
    bytesMax: dependencies.windowBytesMax,
  });
  const { lastArrivedMs } = state;

  function assertAnswering(signal: AbortSignal): void {
    signal.throwIfAborted();
    readers.closing.throwIfAborted();
  }

  async function readSeriesPartials(
    request: {
      readonly sources: readonly PartialSource[];
      readonly countFirst: boolean;
      readonly partialsMax: number;
    },
    signal: AbortSignal,
  ): Promise<Pick<PartialsRead, "partials" | "tooMany">> {
    const { sources, countFirst, partialsMax } = request;
    if (countFirst) {
      const [[count = 0] = []] = await readers.read(countPartialsSql(sources), signal);
      if ((count as number) > partialsMax) return { partials: [], tooMany: count as number };
    }
    const partials: SeriesPartial[] = [];
    await readers.readEach(seriesPartialsSql(sources), signal, (columns) => {
      for (const partial of seriesPartialsOf(columns, registry)) partials.push(partial);
    });
    return { partials };
  }

  return {
    levels,
    isRemote: false,

    async readHorizon(signal) {
      assertAnswering(signal);
      return state.horizon();
    },

    // The store rejects duplicates when it commits: no partial ever counts one.
    async readDuplicateWindows(_request, signal) {
      assertAnswering(signal);
      return { windows: [] };
    },

    async readPartials({ plan, filter, buckets, mergeDevices, partialsMax = Infinity }, signal) {
      assertAnswering(signal);
      // Before any statement: what arrived before this moment is committed, so the statements see it.
      const { completeThroughMs } = state.horizon();
      const quick =
        dependencies.windowBytesMax > 0
          ? await readByColumns(
              { registry, readers, memory, raw, recent, lastArrivedMs },
              { plan, filter, buckets, mergeDevices: mergeDevices ?? false, partialsMax },
              signal,
            )
          : undefined;
      if (quick) return { ...quick, completeThroughMs };
      const condition = seriesCondition(registry, filter);
      if (condition === undefined) return { partials: [], completeThroughMs };
      const sources = partialSources({ plan, seriesCondition: condition, buckets });
      if (sources.length === 0) return { partials: [], completeThroughMs };
      const matching = countMatching(registry, filter);
      const read = (): Promise<Pick<PartialsRead, "partials" | "tooMany">> =>
        mergeDevices && matching >= mergeFromSeries
          ? readSensorPartials({ sources, registry, readers }, signal)
          : readSeriesPartials({ sources, countFirst: matching > partialsMax, partialsMax }, signal);
      const found = matching >= heavyFromSeries ? await readers.heavily(read, signal) : await read();
      return { ...found, completeThroughMs };
    },

    async readSketches(request, signal) {
      assertAnswering(signal);
      const condition = seriesCondition(registry, request.filter);
      if (condition === undefined) return { sketches: [], notCovered: [] };
      const { rawKeptSinceMs } = state.horizon();
      const read = () =>
        readSketches(
          { registry, readers, levels, rawKeptSinceMs },
          { ...request, seriesCondition: condition },
          signal,
        );
      return countMatching(registry, request.filter) >= heavyFromSeries
        ? readers.heavily(read, signal)
        : read();
    },

    async readReadings(request, signal) {
      assertAnswering(signal);
      const condition = seriesCondition(registry, request.filter);
      if (condition === undefined) return [];
      return findReadings({ ...request, seriesCondition: condition, registry, readers }, signal);
    },

    async sealHorizon(signal) {
      assertAnswering(signal);
      await state.seal();
      return state.horizon();
    },

    async *scanReadings(scan, signal) {
      assertAnswering(signal);
      const condition = seriesCondition(registry, scan.filter);
      if (condition === undefined) return;
      const rawKeptSinceMs = (): number => state.horizon().rawKeptSinceMs;
      yield* scanReadings({ ...scan, seriesCondition: condition, registry, readers, rawKeptSinceMs }, signal);
    },

    async readSeries({ filter, search, after, limit }, signal) {
      assertAnswering(signal);
      if (search) {
        const place = after && { ...after, latestMs: 0 };
        const request = { filter, search, order: "name", latest: anyTime, after: place, limit } as const;
        const { series, total } = await selectSeries(registry, request, signal);
        return { series: series.map(({ deviceId, sensor }) => ({ deviceId, sensor })), total };
      }
      const { sensors, deviceIds } = filter;
      if (deviceIds.length === 0) {
        return { series: registry.page({ sensors, after, limit }), total: registry.count(sensors) };
      }
      const matching = seriesOfDevices(registry, filter);
      const beyond = after ? matching.filter((series) => compareSeries(series, after) > 0) : matching;
      return { series: beyond.slice(0, limit), total: matching.length };
    },

    async readLatestSeries(request, signal) {
      assertAnswering(signal);
      return selectSeries(registry, request, signal);
    },

    async readDuplicates({ filter, after, limit }, signal) {
      assertAnswering(signal);
      if (duplicates.size === 0) return [];
      const hasSome = ({ code }: RegisteredSeries): boolean => duplicates.get(code) !== undefined;
      const found =
        filter.deviceIds.length === 0
          ? registry.page({ sensors: filter.sensors, after, limit, where: hasSome })
          : seriesOfDevices(registry, filter)
              .filter((series) => hasSome(series) && (!after || compareSeries(series, after) > 0))
              .slice(0, limit);
      return found.map(({ code, deviceId, sensor }): SeriesDuplicates => {
        const { latest, ...counts } = duplicates.get(code) as NonNullable<
          ReturnType<DuckdbDuplicates["get"]>
        >;
        return { deviceId, sensor, ...counts, latestConflicts: latest };
      });
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
        series: registry.saved,
        diskBytes: await state.diskBytes(),
      };
    },

    watchChanges: (signal) => changes.watch(signal),

    lastChangeOf: ({ deviceIds, sensors }) =>
      deviceIds.length > lastChangeDevicesMax ? undefined : registry.lastChange(deviceIds, sensors),
  };
}
