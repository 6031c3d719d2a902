import type { MessageInitShape } from "@bufbuild/protobuf";
import { protoTimestamp } from "@devicemesh/proto";
import {
  type ListReadingsRequest,
  type ListReadingsResponseSchema,
  Order,
} from "@devicemesh/proto/es/devicemesh/v1/query_service_pb.ts";
import { coverageMessage } from "../answer/aggregate-rows.ts";
import { timeframeOf } from "../answer/read-timeframe.ts";
import type { ReadingKey, ReadingStore } from "../store/reading-store.ts";
import type { PageTokens } from "./page-token.ts";

/** A position between two readings: after `key` in the requested order, or before it. */
export type ReadingsPlace = { readonly key: ReadingKey; readonly backwards: boolean };

/** Default number of readings on a page. */
export const defaultPageSize = 100;

/**
 * Answers ListReadings. For times before the retention of raw readings it returns nothing and lists them in the
 * coverage.
 * @throws RpcError INVALID_ARGUMENT on `page_token`.
 */
export async function listReadings(
  { store, pageTokens }: { readonly store: ReadingStore; readonly pageTokens: PageTokens<ReadingsPlace> },
  request: ListReadingsRequest,
  signal: AbortSignal,
): Promise<MessageInitShape<typeof ListReadingsResponseSchema>> {
  const { deviceIds, sensors, order } = request;
  const query = queryOf(request);
  const place = request.pageToken === "" ? undefined : pageTokens.open(request.pageToken, query);
  const backwards = place?.backwards ?? false;
  const pageSize = request.pageSize || defaultPageSize;
  const timeframe = timeframeOf(request);

  // Read first: everything that had arrived by then is in the page.
  const horizon = await store.readHorizon(signal);
  const sinceMs = Math.min(Math.max(timeframe.sinceMs, horizon.rawKeptSinceMs), timeframe.toMs);
  const found = await store.readReadings(
    {
      filter: { deviceIds, sensors },
      sinceMs,
      toMs: timeframe.toMs,
      descending: (order === Order.NEWEST_FIRST) !== backwards,
      ...(place && { after: place.key }),
      // One additional row shows whether another page follows.
      limit: pageSize + 1,
    },
    signal,
  );
  const goesOn = found.length > pageSize;
  const page = found.slice(0, pageSize);
  if (backwards) page.reverse();

  const [first, last] = [page.at(0), page.at(-1)];
  const hasNext = backwards || goesOn;
  const hasPrevious = backwards ? goesOn : place !== undefined;
  const { completeThroughMs, frontiersMs } = horizon;
  return {
    readings: page.map(({ timestampMs, ...message }) => ({
      ...message,
      timestamp: protoTimestamp(timestampMs),
    })),
    nextPageToken: last && hasNext ? pageTokens.seal({ key: keyOf(last), backwards: false }, query) : "",
    previousPageToken:
      first && hasPrevious ? pageTokens.seal({ key: keyOf(first), backwards: true }, query) : "",
    coverage: coverageMessage({
      completeThroughMs,
      frontierMs: frontiersMs[0] ?? 0,
      fromWindows: 0,
      fromRaw: page.length,
      notCovered: sinceMs > timeframe.sinceMs ? [{ sinceMs: timeframe.sinceMs, toMs: sinceMs }] : [],
    }),
  };
}

/** The part of a request that identifies its query: everything except the page itself. */
function queryOf({ deviceIds, sensors, since, to, order }: ListReadingsRequest): unknown {
  const bound = (time: ListReadingsRequest["since"]) => time && [`${time.seconds}`, time.nanos];
  return [
    [...new Set(deviceIds)].sort(),
    [...new Set(sensors)].sort(),
    bound(since) ?? null,
    bound(to) ?? null,
    order === Order.NEWEST_FIRST,
  ];
}

function keyOf({ deviceId, sensor, timestampMs }: ReadingKey): ReadingKey {
  return { deviceId, sensor, timestampMs };
}
