import type { MessageInitShape } from "@bufbuild/protobuf";
import { protoTimestamp } from "@devicemesh/proto";
import type {
  ListSeriesRequest,
  ListSeriesResponseSchema,
} from "@devicemesh/proto/es/devicemesh/v1/query_service_pb.ts";
import { coverageMessage } from "../answer/coverage.ts";
import { readTimeframe } from "../answer/read-timeframe.ts";
import { createGroupMerge, type UnitOf } from "../plan/merge.ts";
import { allTime } from "../plan/planner.ts";
import type { ReadingStore } from "../store/reading-store.ts";
import { defaultPageSize } from "./list-readings.ts";
import type { PageTokens } from "./page-token.ts";

/** The series after which a page begins. */
export type SeriesPlace = { readonly deviceId: string; readonly sensor: string };

/**
 * Answers ListSeries. The coverage counts the readings of the page's series.
 * @throws RpcError INVALID_ARGUMENT on `page_token`.
 */
export async function listSeries(
  {
    store,
    pageTokens,
    unitOf,
  }: { readonly store: ReadingStore; readonly pageTokens: PageTokens<SeriesPlace>; readonly unitOf: UnitOf },
  request: ListSeriesRequest,
  signal: AbortSignal,
): Promise<MessageInitShape<typeof ListSeriesResponseSchema>> {
  const { deviceIds, sensors } = request;
  const query = [[...new Set(deviceIds)].sort(), [...new Set(sensors)].sort()];
  const after = request.pageToken === "" ? undefined : pageTokens.open(request.pageToken, query);
  const pageSize = request.pageSize || defaultPageSize;
  const { series: found, total } = await store.readSeries(
    // One more tells whether there is a page beyond.
    { filter: { deviceIds, sensors }, ...(after && { after }), limit: pageSize + 1 },
    signal,
  );
  const page = found.slice(0, pageSize);
  const last = page.at(-1);
  const { partials, coverage } = await readTimeframe(
    store,
    {
      // No series: a name that is none's, because an empty filter would mean all.
      filter: {
        deviceIds: page.length > 0 ? [...new Set(page.map(({ deviceId }) => deviceId))] : [""],
        sensors: [...new Set(page.map(({ sensor }) => sensor))],
      },
      timeframe: allTime,
    },
    signal,
  );
  const onPage = new Set(page.map(keyOf));
  const merge = createGroupMerge("series", unitOf);
  // Devices and sensors of the page in all their combinations are more than its series.
  merge.add(partials.filter((partial) => onPage.has(keyOf(partial))));
  const aggregates = merge.aggregates();
  const byKey = new Map(aggregates.map((aggregate) => [keyOf(aggregate), aggregate]));
  const count = aggregates.reduce((sum, { partial }) => sum + partial.count, 0);
  const fromRaw = aggregates.reduce((sum, aggregate) => sum + aggregate.fromRaw, 0);
  return {
    series: page.map((series) => {
      const { deviceId, sensor } = series;
      const partial = byKey.get(keyOf(series))?.partial;
      return {
        deviceId,
        sensor,
        unit: unitOf(sensor),
        // All of it may have expired.
        ...(partial && {
          count: BigInt(partial.count),
          first: { timestamp: protoTimestamp(partial.firstAtMs), value: partial.firstValue },
          latest: { timestamp: protoTimestamp(partial.lastAtMs), value: partial.lastValue },
        }),
      };
    }),
    nextPageToken: last && found.length > pageSize ? pageTokens.seal(placeOf(last), query) : "",
    total: BigInt(total),
    coverage: coverageMessage({ ...coverage, fromWindows: count - fromRaw, fromRaw }),
  };
}

function keyOf({ deviceId, sensor }: SeriesPlace): string {
  return `${deviceId}\n${sensor}`;
}

function placeOf({ deviceId, sensor }: SeriesPlace): SeriesPlace {
  return { deviceId, sensor };
}
