import type { AdmitSeries } from "@devicemesh/ingest";
import type { SeriesRegistry } from "./series-registry.ts";

/** How many series there may be. */
export type SeriesLimits = {
  /** In the store. */
  readonly max: number;
  /** Made by one publisher since the process was started; publishers without identity count as one. */
  readonly maxPerPublisher: number;
};

/** One million; a quarter of them by one publisher. */
export const defaultSeriesLimits: SeriesLimits = { max: 1_000_000, maxPerPublisher: 250_000 };

/** Counts the series that each publisher has made. It outlives the store that is opened again. */
export type SeriesMade = Map<string, number>;

/**
 * Decides whether a reading may begin a series. One that is admitted has its code from then on, so that the limits
 * hold however many readings are on their way; it is stored with its first reading.
 */
export function createSeriesAdmission(
  registry: Pick<SeriesRegistry, "has" | "codeOf" | "size">,
  { max, maxPerPublisher }: SeriesLimits,
  madeBy: SeriesMade = new Map(),
): AdmitSeries {
  return (deviceId, sensorCode, publisher = "") => {
    if (registry.has(deviceId, sensorCode)) return undefined;
    if (registry.size >= max) {
      return `would begin a new series: the store has ${registry.size}, at most ${max} are accepted (--max-series)`;
    }
    const made = madeBy.get(publisher) ?? 0;
    if (made >= maxPerPublisher) {
      const who = publisher === "" ? "publishers without identity have" : `${publisher} has`;
      return `would begin a new series: ${who} begun ${made} since the server was started, at most ${maxPerPublisher} are accepted (--max-series-per-publisher)`;
    }
    madeBy.set(publisher, made + 1);
    registry.codeOf(deviceId, sensorCode);
    return undefined;
  };
}
