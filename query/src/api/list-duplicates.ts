import type { MessageInitShape } from "@bufbuild/protobuf";
import { protoTimestamp } from "@devicemesh/proto";
import type {
  ListDuplicatesRequest,
  ListDuplicatesResponseSchema,
} from "@devicemesh/proto/es/devicemesh/v1/query_service_pb.ts";
import type { UnitOf } from "../plan/merge.ts";
import type { SeriesDuplicates } from "../store/latest-conflicts.ts";
import type { ReadingStore } from "../store/reading-store.ts";
import { defaultPageSize } from "./list-readings.ts";
import type { SeriesPlace } from "./list-series.ts";
import type { PageTokens } from "./page-token.ts";

/**
 * Answers ListDuplicates.
 * @throws RpcError INVALID_ARGUMENT on `page_token`.
 */
export async function listDuplicates(
  {
    store,
    pageTokens,
    unitOf,
  }: { readonly store: ReadingStore; readonly pageTokens: PageTokens<SeriesPlace>; readonly unitOf: UnitOf },
  request: ListDuplicatesRequest,
  signal: AbortSignal,
): Promise<MessageInitShape<typeof ListDuplicatesResponseSchema>> {
  const { deviceIds, sensors } = request;
  const query = [[...new Set(deviceIds)].sort(), [...new Set(sensors)].sort()];
  const after = request.pageToken === "" ? undefined : pageTokens.open(request.pageToken, query);
  const pageSize = request.pageSize || defaultPageSize;
  const found = await store.readDuplicates(
    // One additional row shows whether another page follows.
    { filter: { deviceIds, sensors }, ...(after && { after }), limit: pageSize + 1 },
    signal,
  );
  const page = found.slice(0, pageSize);
  const last = page.at(-1);
  const place = last && { deviceId: last.deviceId, sensor: last.sensor };
  return {
    series: page.map((each) => ({ ...seriesMessage(each), unit: unitOf(each.sensor) })),
    nextPageToken: place && found.length > pageSize ? pageTokens.seal(place, query) : "",
  };
}

function seriesMessage(series: SeriesDuplicates) {
  const { deviceId, sensor, duplicates, conflicts, latestConflicts } = series;
  return {
    deviceId,
    sensor,
    duplicates: BigInt(duplicates),
    conflicts: BigInt(conflicts),
    latestConflicts: latestConflicts.map(({ timestampMs, storedValue, refusedValue, arrivedMs }) => ({
      timestamp: protoTimestamp(timestampMs),
      storedValue,
      refusedValue,
      arrived: protoTimestamp(arrivedMs),
    })),
  };
}
