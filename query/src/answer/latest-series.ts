import { resourceExhausted } from "@devicemesh/kit/rpc/rpc-error";
import { allTime } from "../plan/planner.ts";
import { seriesKey } from "../plan/series-order.ts";
import type { ReadingStore } from "../store/reading-store.ts";
import type { LatestSeriesFound, LatestSeriesRequest } from "../store/series-request.ts";
import { createSeriesSelection } from "../store/series-selection.ts";
import { readTimeframe } from "./read-timeframe.ts";

/** Maximum number of series whose latest readings are read for one page, if the store does not keep them in memory. */
export const latestSeriesMax = 10_000;

/**
 * Finds series by their latest readings: from the store's memory if it keeps them, otherwise from the partials of all
 * matching series.
 * @throws RpcError RESOURCE_EXHAUSTED if there are more than `latestSeriesMax`; the errors of the store.
 */
export async function findLatestSeries(
  store: ReadingStore,
  request: LatestSeriesRequest,
  signal: AbortSignal,
): Promise<LatestSeriesFound> {
  if (store.readLatestSeries) return store.readLatestSeries(request, signal);
  const { filter, search } = request;
  const { series, total } = await store.readSeries({ filter, search, limit: latestSeriesMax }, signal);
  if (total > latestSeriesMax) throw tooMany(total);
  if (total === 0) return { series: [], total };
  const deviceIds = search ? [...new Set(series.map(({ deviceId }) => deviceId))] : filter.deviceIds;
  const { partials } = await readTimeframe(
    store,
    { filter: { ...filter, deviceIds }, timeframe: allTime },
    signal,
  );
  const latest = new Map<string, number>();
  for (const partial of partials) {
    const key = seriesKey(partial);
    const { lastAtMs } = partial;
    latest.set(key, Math.max(latest.get(key) ?? lastAtMs, lastAtMs));
  }
  const selection = createSeriesSelection(request);
  for (const each of series) {
    const latestMs = latest.get(seriesKey(each)) ?? Number.NEGATIVE_INFINITY;
    selection.offer({ ...each, latestMs });
  }
  return selection.found();
}

function tooMany(total: number) {
  return resourceExhausted({
    subject: "series by their latest readings",
    description: `there are ${total}, this store orders at most ${latestSeriesMax}: filter by devices or sensors, search, or order by name`,
  });
}
