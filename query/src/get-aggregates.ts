import type { MessageInitShape } from "@bufbuild/protobuf";
import type {
  GetAggregatesRequest,
  GetAggregatesResponseSchema,
} from "@devicemesh/proto/es/devicemesh/v1/query_service_pb.ts";
import { aggregateRow, groupingOf } from "./aggregate-rows.ts";
import { checkRows } from "./answer-limits.ts";
import { coverageMessage } from "./coverage.ts";
import { createGroupMerge } from "./merge.ts";
import { readTimeframe } from "./read-timeframe.ts";
import type { ReadingStore } from "./reading-store.ts";
import { timeframeOf } from "./timeframe.ts";

/**
 * Answers GetAggregates.
 * @throws RpcError INVALID_ARGUMENT if a group mixes units, RESOURCE_EXHAUSTED if there are too many rows.
 */
export async function getAggregates(
  store: ReadingStore,
  request: GetAggregatesRequest,
  signal: AbortSignal,
): Promise<MessageInitShape<typeof GetAggregatesResponseSchema>> {
  const { deviceIds, sensors, groupBy } = request;
  const { partials, coverage } = await readTimeframe(
    store,
    { filter: { deviceIds, sensors }, timeframe: timeframeOf(request) },
    signal,
  );
  const merge = createGroupMerge(groupingOf(groupBy));
  merge.add(partials);
  checkRows(merge.size, "filter by device_ids or sensors, or group by sensor or all");
  return { rows: merge.aggregates().map(aggregateRow), coverage: coverageMessage(coverage) };
}
