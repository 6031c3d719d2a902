import type { MessageInitShape } from "@bufbuild/protobuf";
import type {
  GetAggregatesRequest,
  GetAggregatesResponseSchema,
} from "@devicemesh/proto/es/devicemesh/v1/query_service_pb.ts";
import {
  aggregateRow,
  checkRows,
  coverageMessage,
  groupingOf,
  maxHoldOf,
  pageOfRows,
  partialsMaxOf,
  type RowPlace,
  readingsOf,
} from "../answer/aggregate-rows.ts";
import { readTimeWeighted } from "../answer/read-time-weighted.ts";
import { readTimeframe, timeframeOf } from "../answer/read-timeframe.ts";
import { addInShares, createGroupMerge, mergesDevices, type UnitOf } from "../plan/merge.ts";
import { readQuantiles } from "../quantiles/read-quantiles.ts";
import type { ReadSlots } from "../store/read-slots.ts";
import type { ReadingStore } from "../store/reading-store.ts";
import type { PageTokens } from "./page-token.ts";

/** Answers GetAggregates from a store; `rawReads` admits reads of raw readings for figures that need them. */
export type AggregatesDependencies = {
  readonly store: ReadingStore;
  readonly rawReads: ReadSlots;
  /** Maximum number of raw readings of a page from which quantiles are exact. */
  readonly exactMax?: number | undefined;
  readonly pageTokens: PageTokens<RowPlace>;
  readonly unitOf: UnitOf;
};

/**
 * Answers GetAggregates, one page at a time. Each page is exact for the readings that had arrived when it was read.
 * @throws RpcError INVALID_ARGUMENT on `page_token` and if a group mixes units, RESOURCE_EXHAUSTED if there are too
 * many rows in total.
 */
export async function getAggregates(
  { store, rawReads, exactMax, pageTokens, unitOf }: AggregatesDependencies,
  request: GetAggregatesRequest,
  signal: AbortSignal,
): Promise<MessageInitShape<typeof GetAggregatesResponseSchema>> {
  const { deviceIds, sensors, groupBy } = request;
  const query = queryOf(request);
  const after = request.pageToken === "" ? undefined : pageTokens.open(request.pageToken, query);
  const grouping = groupingOf(groupBy);
  const { partials, tooMany, coverage } = await readTimeframe(
    store,
    {
      filter: { deviceIds, sensors },
      timeframe: timeframeOf(request),
      mergeDevices: mergesDevices(grouping),
      partialsMax: partialsMaxOf(grouping),
    },
    signal,
  );
  const merge = createGroupMerge(grouping, unitOf);
  await addInShares(merge, partials);
  checkRows(tooMany ?? merge.size, "filter by device_ids or sensors, or group by sensor or all");
  const aggregates = merge.aggregates();
  const { page, last } = pageOfRows(aggregates, { after, pageSize: request.pageSize });
  const rows = { filter: { deviceIds, sensors }, grouping, timeframe: timeframeOf(request), rows: page };
  const { quantiles: asked } = request;
  const quantiles =
    asked.length > 0
      ? await readQuantiles({ store, reads: rawReads, exactMax }, { ...rows, quantiles: asked }, signal)
      : undefined;
  const maxHoldMs = maxHoldOf(request.timeWeighting);
  const timeWeighted =
    maxHoldMs !== undefined
      ? await readTimeWeighted({ store, unitOf, reads: rawReads }, { ...rows, aggregates, maxHoldMs }, signal)
      : undefined;
  return {
    rows: page.map((row) =>
      aggregateRow(row, { quantiles: quantiles?.get(row), timeWeighted: timeWeighted?.get(row) }),
    ),
    nextPageToken: last ? pageTokens.seal(last, query) : "",
    coverage: coverageMessage({ ...coverage, ...readingsOf(page) }),
  };
}

/** The part of a request that identifies its query: everything except the page itself. */
function queryOf(request: GetAggregatesRequest): unknown {
  const { deviceIds, sensors, since, to, groupBy, quantiles, timeWeighting } = request;
  const time = (bound: GetAggregatesRequest["since"]) => bound && [`${bound.seconds}`, bound.nanos];
  return [
    [...new Set(deviceIds)].sort(),
    [...new Set(sensors)].sort(),
    time(since) ?? null,
    time(to) ?? null,
    groupingOf(groupBy),
    quantiles,
    maxHoldOf(timeWeighting) ?? null,
  ];
}
