import type { SensorName } from "@devicemesh/proto";
import { compareSeries } from "../plan/series-order.ts";
import type { LatestPlace, LatestSeriesFound, LatestSeriesRequest } from "./series-request.ts";

/** Selects a page of series from all of them, in one pass in any order, with only the page in memory. */
export type SeriesSelection = {
  /** Offers a series that matches the filter and the search. */
  offer(series: LatestPlace & { readonly sensor: SensorName }): void;
  /** Returns the page, and the number of all matches. */
  found(): LatestSeriesFound;
};

/** Creates an empty selection for a request. */
export function createSeriesSelection(
  request: Pick<LatestSeriesRequest, "order" | "latest" | "after" | "limit">,
): SeriesSelection {
  const { latest, after, limit } = request;
  const compare = comparisons[request.order];
  const page: (LatestPlace & { readonly sensor: SensorName })[] = [];
  let total = 0;
  return {
    offer(series) {
      if (series.latestMs < latest.sinceMs || series.latestMs >= latest.toMs) return;
      total++;
      if (after && compare(series, after) <= 0) return;
      const last = page.at(-1);
      if (last && page.length >= limit && compare(series, last) >= 0) return;
      let [low, high] = [0, page.length];
      while (low < high) {
        const middle = (low + high) >> 1;
        if (compare(page[middle] as LatestPlace, series) < 0) low = middle + 1;
        else high = middle;
      }
      page.splice(low, 0, series);
      if (page.length > limit) page.pop();
    },
    found: () => ({ series: page, total }),
  };
}

const comparisons: Readonly<
  Record<LatestSeriesRequest["order"], (a: LatestPlace, b: LatestPlace) => number>
> = {
  name: compareSeries,
  latestFirst: (a, b) => byTime(b, a) || compareSeries(a, b),
  silentLongest: (a, b) => byTime(a, b) || compareSeries(a, b),
};

/** Series without readings come before all times; the difference of two infinities is not a number. */
function byTime(a: LatestPlace, b: LatestPlace): number {
  return a.latestMs === b.latestMs ? 0 : a.latestMs < b.latestMs ? -1 : 1;
}
