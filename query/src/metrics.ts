import { defineMetrics, type Metrics, samplesBy } from "@devicemesh/kit/observability/metrics";
import type { ReadingStore } from "./store/reading-store.ts";

/** The sources of query's metrics. */
export const queryMetrics = defineMetrics({
  rowsRead: {
    name: "devicemesh_query_rows_read_total",
    type: "counter",
    unit: "rows",
    help: "Rows that the store returned: raw readings for lists and exports, partials (one per series and bucket) for aggregates",
    labels: { source: ["raw", "partials"] },
  },
  readingsCovered: {
    name: "devicemesh_query_readings_covered_total",
    type: "counter",
    unit: "readings",
    help: "Readings in those partials: folded into windows before, or raw ones that the store aggregated",
    labels: { source: ["raw", "windows"] },
  },
  watchers: {
    name: "devicemesh_query_watchers",
    type: "gauge",
    unit: "watches",
    help: "Admitted open calls of WatchAggregates",
  },
  storeReachable: {
    name: "devicemesh_query_store_reachable",
    type: "gauge",
    unit: "0 or 1",
    help: "Whether the store answers, as health reports",
  },
});

/** Registers query's metrics; reads are counted if they pass through `counted`. */
export function registerQueryMetrics(
  metrics: Metrics,
  options: { readonly watchers: () => number; readonly isStoreReachable: () => boolean },
): { readonly counted: (store: ReadingStore) => ReadingStore } {
  const rows = { raw: 0, partials: 0 };
  const readings = { raw: 0, windows: 0 };
  metrics.register(queryMetrics, {
    rowsRead: () => samplesBy("source", rows),
    readingsCovered: () => samplesBy("source", readings),
    watchers: options.watchers,
    storeReachable: () => Number(options.isStoreReachable()),
  });
  return {
    counted: (store) => ({
      // Unknown before the operator has written the settings, which may be after the start.
      get levels() {
        return store.levels;
      },
      isRemote: store.isRemote,
      readHorizon: (signal) => store.readHorizon(signal),
      readDuplicateWindows: (request, signal) => store.readDuplicateWindows(request, signal),
      sealHorizon: (signal) => store.sealHorizon(signal),
      async *scanReadings(scan, signal) {
        for await (const piece of store.scanReadings(scan, signal)) {
          rows.raw += piece.values.length;
          yield piece;
        }
      },
      readSeries: (request, signal) => store.readSeries(request, signal),
      readDuplicates: (request, signal) => store.readDuplicates(request, signal),
      readStatus: (signal) => store.readStatus(signal),
      watchChanges: (signal) => store.watchChanges(signal),
      readSketches: store.readSketches,
      ...(store.readLatestSeries && { readLatestSeries: store.readLatestSeries }),
      ...(store.lastChangeOf && { lastChangeOf: store.lastChangeOf }),
      async readReadings(request, signal) {
        const found = await store.readReadings(request, signal);
        rows.raw += found.length;
        return found;
      },
      async readPartials(request, signal) {
        const read = await store.readPartials(request, signal);
        rows.partials += read.partials.length;
        for (const { count, fromRaw } of read.partials) {
          readings.raw += fromRaw;
          readings.windows += count - fromRaw;
        }
        return read;
      },
    }),
  };
}
