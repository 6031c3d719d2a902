import type { MessageInitShape } from "@bufbuild/protobuf";
import { invalidArgument } from "@devicemesh/kit/rpc/rpc-error";
import { protoTimestamp } from "@devicemesh/proto";
import {
  type ListSeriesRequest,
  type ListSeriesResponseSchema,
  SeriesOrder,
  SeriesState,
} from "@devicemesh/proto/es/devicemesh/v1/query_service_pb.ts";
import { coverageMessage } from "../answer/aggregate-rows.ts";
import { findLatestSeries } from "../answer/latest-series.ts";
import { readTimeframe } from "../answer/read-timeframe.ts";
import { createGroupMerge, type UnitOf } from "../plan/merge.ts";
import { allTime } from "../plan/planner.ts";
import { seriesKey } from "../plan/series-order.ts";
import type { ReadingStore } from "../store/reading-store.ts";
import type {
  LatestSeriesFound,
  LatestSeriesRequest,
  SeriesFound,
  SeriesSearch,
} from "../store/series-request.ts";
import { defaultPageSize } from "./list-readings.ts";
import type { PageTokens } from "./page-token.ts";

/** The series before the start of a page. */
export type SeriesPlace = { readonly deviceId: string; readonly sensor: string };

/** The same in any order, with the server's time at the first page. */
export type ListSeriesPlace = SeriesPlace & { readonly latestMs?: number | null; readonly nowMs: number };

/** Default age of the latest reading beyond which a series is silent. */
const defaultSilentAfterMs = 300_000;

/** Answers ListSeries from a store; `clock` returns ms since 1970. */
export type ListSeriesDependencies = {
  readonly store: ReadingStore;
  readonly clock: () => number;
  readonly pageTokens: PageTokens<ListSeriesPlace>;
  readonly unitOf: UnitOf;
};

/**
 * Answers ListSeries. The coverage counts the readings of the page's series.
 * @throws RpcError INVALID_ARGUMENT on `page_token` and `device_glob`, RESOURCE_EXHAUSTED if the store cannot order
 * this
 * many series by their latest readings.
 */
export async function listSeries(
  { store, clock, pageTokens, unitOf }: ListSeriesDependencies,
  request: ListSeriesRequest,
  signal: AbortSignal,
): Promise<MessageInitShape<typeof ListSeriesResponseSchema>> {
  const { deviceIds, sensors, order, state } = request;
  const search = searchOf(request);
  const silentAfterMs = request.silentAfter
    ? Number(request.silentAfter.seconds) * 1000 + Math.floor(request.silentAfter.nanos / 1e6)
    : defaultSilentAfterMs;
  const query = [
    [...new Set(deviceIds)].sort(),
    [...new Set(sensors)].sort(),
    search ?? null,
    order,
    state,
    silentAfterMs,
  ];
  const after = request.pageToken === "" ? undefined : pageTokens.open(request.pageToken, query);
  const pageSize = request.pageSize || defaultPageSize;
  const nowMs = after?.nowMs ?? clock();
  // One additional row shows whether another page follows.
  const wanted = { filter: { deviceIds, sensors }, search, limit: pageSize + 1 };
  const isByName = order === SeriesOrder.UNSPECIFIED || order === SeriesOrder.NAME;
  const { series: found, total }: SeriesFound | LatestSeriesFound =
    isByName && state === SeriesState.UNSPECIFIED
      ? await store.readSeries({ ...wanted, ...(after && { after }) }, signal)
      : await findLatestSeries(
          store,
          {
            ...wanted,
            order: orders[order as keyof typeof orders] ?? "name",
            latest: latestSpanOf(state, nowMs - silentAfterMs),
            after: after && { ...after, latestMs: after.latestMs ?? Number.NEGATIVE_INFINITY },
          },
          signal,
        );
  const page = found.slice(0, pageSize);
  const last = page.at(-1);
  const { partials, coverage } = await readTimeframe(
    store,
    {
      // No series: a name that no sensor has, because an empty filter would match all.
      filter: {
        deviceIds: page.length > 0 ? [...new Set(page.map(({ deviceId }) => deviceId))] : [""],
        sensors: [...new Set(page.map(({ sensor }) => sensor))],
      },
      timeframe: allTime,
    },
    signal,
  );
  const onPage = new Set(page.map(seriesKey));
  const merge = createGroupMerge("series", unitOf);
  // The combinations of the page's devices and sensors are more than its series.
  merge.add(partials.filter((partial) => onPage.has(seriesKey(partial))));
  const aggregates = merge.aggregates();
  const byKey = new Map(aggregates.map((aggregate) => [seriesKey(aggregate), aggregate]));
  const count = aggregates.reduce((sum, { partial }) => sum + partial.count, 0);
  const fromRaw = aggregates.reduce((sum, aggregate) => sum + aggregate.fromRaw, 0);
  return {
    series: page.map((series) => {
      const { deviceId, sensor } = series;
      const partial = byKey.get(seriesKey(series))?.partial;
      return {
        deviceId,
        sensor,
        unit: unitOf(sensor),
        // All of it may have expired.
        silent: !partial || partial.lastAtMs < nowMs - silentAfterMs,
        ...(partial && {
          age: durationOf(nowMs - partial.lastAtMs),
          count: BigInt(partial.count),
          first: { timestamp: protoTimestamp(partial.firstAtMs), value: partial.firstValue },
          latest: { timestamp: protoTimestamp(partial.lastAtMs), value: partial.lastValue },
        }),
      };
    }),
    nextPageToken: last && found.length > pageSize ? pageTokens.seal(placeOf(last, nowMs), query) : "",
    total: BigInt(total),
    coverage: coverageMessage({ ...coverage, fromWindows: count - fromRaw, fromRaw }),
    now: protoTimestamp(nowMs),
    silentAfter: durationOf(silentAfterMs),
  };
}

function placeOf(series: SeriesPlace & { readonly latestMs?: number }, nowMs: number): ListSeriesPlace {
  const { deviceId, sensor, latestMs } = series;
  // JSON has no infinity: for a series without readings it is null.
  return { deviceId, sensor, ...(latestMs !== undefined && { latestMs }), nowMs };
}

const orders = {
  [SeriesOrder.UNSPECIFIED]: "name",
  [SeriesOrder.NAME]: "name",
  [SeriesOrder.LATEST_FIRST]: "latestFirst",
  [SeriesOrder.SILENT_LONGEST]: "silentLongest",
} as const;

/** Returns the range of latest timestamps of the series in a state. */
function latestSpanOf(state: SeriesState, onlineSinceMs: number): LatestSeriesRequest["latest"] {
  return {
    sinceMs: state === SeriesState.ONLINE ? onlineSinceMs : Number.NEGATIVE_INFINITY,
    toMs: state === SeriesState.SILENT ? onlineSinceMs : Number.POSITIVE_INFINITY,
  };
}

/** Maximum number of * in a pattern: a database may try all their matches. */
const starsMax = 4;

function searchOf({ search }: Pick<ListSeriesRequest, "search">): SeriesSearch | undefined {
  switch (search.case) {
    case "deviceContains":
      return { kind: "contains", text: search.value };
    case "devicePrefix":
      return { kind: "prefix", text: search.value };
    case "deviceGlob": {
      const stars = search.value.match(/\*+/g)?.length ?? 0;
      if (stars <= starsMax) return { kind: "glob", text: search.value };
      throw invalidArgument({
        field: "device_glob",
        description: `has ${stars} *, at most ${starsMax} are accepted`,
        reason: "GLOB_TOO_COMPLEX",
      });
    }
    default:
      return undefined;
  }
}

function durationOf(ms: number): { seconds: bigint; nanos: number } {
  const seconds = Math.trunc(ms / 1000);
  return { seconds: BigInt(seconds), nanos: (ms - seconds * 1000) * 1_000_000 };
}
