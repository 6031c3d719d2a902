import { randomBytes } from "node:crypto";
import type { ServiceImpl } from "@connectrpc/connect";
import type { QueryService } from "@devicemesh/proto/es/devicemesh/v1/query_service_pb.ts";
import { defaultQueryConfig } from "./config.ts";
import { getAggregates } from "./get-aggregates.ts";
import { getPipelineStatus } from "./get-pipeline-status.ts";
import { listBuckets } from "./list-buckets.ts";
import { listReadings, type ReadingsPlace } from "./list-readings.ts";
import { listSeries, type SeriesPlace } from "./list-series.ts";
import { createPageTokens } from "./page-token.ts";
import type { ReadingStore } from "./reading-store.ts";
import { createWatchRoom, watchAggregates } from "./watch-aggregates.ts";

/** What the service needs; what is optional has a default. */
export type QueryServiceDependencies = {
  readonly store: ReadingStore;
  /** Ms since 1970. */
  readonly clock: () => number;
  /** The secret of page tokens; random by default. */
  readonly pageTokenKey?: Uint8Array;
  /** Versions of the parts that the store does not know, by name; none by default. */
  readonly versions?: Readonly<Record<string, string>>;
  /** Messages of one watch are at least this far apart. */
  readonly watchIntervalMs?: number;
  /** The most watches at a time. */
  readonly watchesMax?: number;
  /** Told how many watches run, whenever that changes. */
  readonly onWatches?: (running: number) => void;
  /** Aborts when the server begins to stop; never by default. */
  readonly stopping?: AbortSignal;
};

/**
 * Makes the implementation of QueryService. It expects requests that keep the contract's rules. The pipeline
 * counts as started now.
 */
export function createQueryService(dependencies: QueryServiceDependencies): ServiceImpl<typeof QueryService> {
  const {
    store,
    clock,
    pageTokenKey: key = randomBytes(32),
    versions = {},
    watchIntervalMs = defaultQueryConfig.watchIntervalMs,
    watchesMax = defaultQueryConfig.watchesMax,
    onWatches,
    stopping = new AbortController().signal,
  } = dependencies;
  const readings = { store, pageTokens: createPageTokens<ReadingsPlace>({ key, method: "ListReadings" }) };
  const series = { store, pageTokens: createPageTokens<SeriesPlace>({ key, method: "ListSeries" }) };
  const pipeline = { store, clock, versions, startedMs: clock() };
  const watching = { store, clock, watchIntervalMs, stopping };
  const inWatchRoom = createWatchRoom(watchesMax, onWatches);
  return {
    getAggregates: (request, { signal }) => getAggregates(store, request, signal),
    listBuckets: (request, { signal }) => listBuckets(store, request, signal),
    listReadings: (request, { signal }) => listReadings(readings, request, signal),
    listSeries: (request, { signal }) => listSeries(series, request, signal),
    getPipelineStatus: (_request, { signal }) => getPipelineStatus(pipeline, signal),
    watchAggregates: (request, { signal }) => inWatchRoom(watchAggregates(watching, request, signal)),
  };
}
