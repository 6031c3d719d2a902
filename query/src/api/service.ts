import { randomBytes } from "node:crypto";
import type { ServiceImpl } from "@connectrpc/connect";
import { Code, ConnectError, type Interceptor } from "@connectrpc/connect";
import { userKey } from "@devicemesh/identity";
import { peerKey } from "@devicemesh/kit/rpc/connect-handler";
import { resourceExhausted, unavailable } from "@devicemesh/kit/rpc/rpc-error";
import { createSensorCatalog, type SensorCatalog } from "@devicemesh/proto";
import type { QueryService } from "@devicemesh/proto/es/devicemesh/v1/query_service_pb.ts";
import type { BucketsPlace, RowPlace } from "../answer/aggregate-rows.ts";
import { createExportAdmission, type ExportAdmission } from "../export/export-admission.ts";
import { exportsMax } from "../export/export-limits.ts";
import { exportBucketsRpc, exportReadingsRpc } from "../export/export-rpcs.ts";
import { defaultQueryConfig, type QueryConfig } from "../limits.ts";
import { createReadSlots } from "../store/read-slots.ts";
import type { ReadingStore } from "../store/reading-store.ts";
import { createSharedWatches } from "../watch/shared-watches.ts";
import { createWatchAdmission } from "../watch/watch-admission.ts";
import { watchAggregates } from "../watch/watch-aggregates.ts";
import { watchCallerOf } from "../watch/watch-caller.ts";
import { getAggregates } from "./get-aggregates.ts";
import { getPipelineStatus } from "./get-pipeline-status.ts";
import { listBuckets } from "./list-buckets.ts";
import { listDuplicates } from "./list-duplicates.ts";
import { listReadings, type ReadingsPlace } from "./list-readings.ts";
import { type ListSeriesPlace, listSeries, type SeriesPlace } from "./list-series.ts";
import { createPageTokens } from "./page-token.ts";

/** The settings of query for watches, and the time limit of one read. */
export type WatchLimits = Pick<
  QueryConfig,
  | "watchesMax"
  | "watchesPerCallerMax"
  | "watchIntervalMs"
  | "watchMessagesPerSecond"
  | "watchReadsMax"
  | "watchRowsMax"
  | "callTimeoutMs"
>;

/** Number of running and of waiting reads of raw readings for figures of rows: each may hold a million values. */
const rawReadSlots = { atOnceMax: 2, waitingMax: 32 };

/** The dependencies of the service; optional ones have defaults. */
export type QueryServiceDependencies = {
  readonly store: ReadingStore;
  /** Ms since 1970. */
  readonly clock: () => number;
  /** The sensors with the units in answers; the built-in catalog by default. */
  readonly catalog?: SensorCatalog | undefined;
  /** The secret of page tokens; random by default. */
  readonly pageTokenKey?: Uint8Array;
  /** Versions of the components that the store does not know, by name; none by default. */
  readonly versions?: Readonly<Record<string, string>>;
  /** The limits of watches. */
  readonly limits?: WatchLimits;
  /** Called with the number of running watches, whenever it changes. */
  readonly onWatches?: (running: number) => void;
  /** The exports of the server, including those over HTTP; of this service alone by default. */
  readonly exportAdmission?: ExportAdmission;
  /** Maximum number of raw readings from which quantiles of a page are exact; `rawReadingsMax` by default. */
  readonly exactQuantilesMax?: number | undefined;
  /** Aborts when the server begins to stop; never by default. */
  readonly stopping?: AbortSignal;
};

/**
 * Creates the implementation of QueryService. Requests must satisfy the contract's rules. The pipeline counts as
 * started now.
 */
export function createQueryService(dependencies: QueryServiceDependencies): ServiceImpl<typeof QueryService> {
  const {
    store,
    clock,
    pageTokenKey: key = randomBytes(32),
    catalog = createSensorCatalog(),
    versions = {},
    limits = defaultQueryConfig,
    onWatches,
    exportAdmission: admission = createExportAdmission(exportsMax),
    exactQuantilesMax: exactMax,
    stopping = new AbortController().signal,
  } = dependencies;
  const { unitOf } = catalog;
  const readings = { store, pageTokens: createPageTokens<ReadingsPlace>({ key, method: "ListReadings" }) };
  const rawReads = createReadSlots(rawReadSlots);
  const aggregates = {
    store,
    unitOf,
    rawReads,
    exactMax,
    pageTokens: createPageTokens<RowPlace>({ key, method: "GetAggregates" }),
  };
  const buckets = {
    store,
    clock,
    unitOf,
    rawReads,
    exactMax,
    pageTokens: createPageTokens<BucketsPlace>({ key, method: "ListBuckets" }),
  };
  const series = {
    store,
    clock,
    unitOf,
    pageTokens: createPageTokens<ListSeriesPlace>({ key, method: "ListSeries" }),
  };
  const duplicates = {
    store,
    unitOf,
    pageTokens: createPageTokens<SeriesPlace>({ key, method: "ListDuplicates" }),
  };
  const pipeline = { store, clock, versions, startedMs: clock() };
  const watches = createSharedWatches({
    store,
    clock,
    unitOf,
    limits: { ...limits, watchReadTimeoutMs: limits.callTimeoutMs },
  });
  const watching = {
    store,
    watches,
    stopping,
    admission: createWatchAdmission({ ...limits, onChange: onWatches }),
  };
  return {
    getAggregates: (request, { signal }) => getAggregates(aggregates, request, signal),
    listBuckets: (request, { signal }) => listBuckets(buckets, request, signal),
    listReadings: (request, { signal }) => listReadings(readings, request, signal),
    listSeries: (request, { signal }) => listSeries(series, request, signal),
    listDuplicates: (request, { signal }) => listDuplicates(duplicates, request, signal),
    getPipelineStatus: (_request, { signal }) => getPipelineStatus(pipeline, signal),
    watchAggregates: (request, { signal, values, requestHeader }) =>
      watchAggregates(watching, request, {
        signal,
        caller:
          values.get(userKey)?.subject ??
          watchCallerOf(values.get(peerKey), requestHeader.get("x-forwarded-for")),
      }),
    exportReadings: (request, { signal }) => exportReadingsRpc({ store, admission, unitOf }, request, signal),
    exportBuckets: (request, { signal }) => exportBucketsRpc({ store, admission, unitOf }, request, signal),
  };
}

/**
 * Limits calls: no unary call takes longer than `timeoutMs`, at most `callsMax` run at a time, and none begins once the
 * server is stopping. Streams have limits of their own.
 * @throws ConnectError DEADLINE_EXCEEDED; RpcError RESOURCE_EXHAUSTED, UNAVAILABLE.
 */
export function createCallLimits(options: {
  readonly timeoutMs: number;
  readonly callsMax: number;
  readonly stopping: AbortSignal;
}): Interceptor {
  const { timeoutMs, callsMax, stopping } = options;
  let running = 0;
  return (next) => async (request) => {
    if (stopping.aborted) throw stoppingError();
    if (request.stream) return next(request);
    if (running >= callsMax) {
      throw resourceExhausted({
        subject: "calls",
        description: `at most ${callsMax} run at a time: try again`,
      });
    }
    // Not AbortSignal.any: a call that ends well leaves nothing behind, and a signal of signals costs more than the rest.
    const call = new AbortController();
    const leave = (): void => call.abort(request.signal.reason);
    request.signal.addEventListener("abort", leave, { once: true });
    if (request.signal.aborted) leave();
    const timer = setTimeout(
      () => call.abort(new ConnectError(`not answered within ${timeoutMs} ms`, Code.DeadlineExceeded)),
      timeoutMs,
    );
    running++;
    try {
      return await next({ ...request, signal: call.signal });
    } finally {
      clearTimeout(timer);
      request.signal.removeEventListener("abort", leave);
      running--;
    }
  };
}

/** The error for callers while the server stops. */
export function stoppingError() {
  return unavailable({ message: "query is stopping", retryDelayMs: 1000 });
}
