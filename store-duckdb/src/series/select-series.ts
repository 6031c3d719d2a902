import { createLoopShare } from "@devicemesh/kit/async/event-loop-share";
import {
  createSeriesSelection,
  type LatestSeriesFound,
  type LatestSeriesRequest,
  searchMatcher,
} from "@devicemesh/query";
import type { SeriesRegistry } from "./series-registry.ts";

/** Any latest timestamp, or none. */
export const anyTime = { sinceMs: Number.NEGATIVE_INFINITY, toMs: Number.POSITIVE_INFINITY } as const;

/** Number of series that are checked before other work can run: less than a millisecond. */
const seriesPerPart = 4096;

/**
 * Selects a page of the stored series by checking each: a few milliseconds for a hundred thousand, the same for any
 * page. Rejects with the signal's reason when it aborts.
 */
export async function selectSeries(
  registry: SeriesRegistry,
  request: LatestSeriesRequest,
  signal: AbortSignal,
): Promise<LatestSeriesFound> {
  const { filter, search } = request;
  const { sensors } = filter;
  const selection = createSeriesSelection(request);
  const isFound = searchMatcher(search);
  const offer: Parameters<SeriesRegistry["visit"]>[1] = (series) => {
    if (isFound(series.deviceId)) selection.offer(series);
  };
  if (filter.deviceIds.length > 0) {
    for (const deviceId of new Set(filter.deviceIds)) {
      for (const code of registry.codesOfDevice(deviceId)) {
        registry.visit({ from: code, to: code + 1, sensors }, offer);
      }
    }
    return selection.found();
  }
  const share = createLoopShare();
  for (let from = 0; from < registry.saved; from += seriesPerPart) {
    registry.visit({ from, to: from + seriesPerPart, sensors }, offer);
    await share();
    signal.throwIfAborted();
  }
  return selection.found();
}
