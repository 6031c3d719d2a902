import type { Document } from "mongodb";
import type { Scan, SeriesFilter, SeriesName, SeriesScan, SeriesSpan } from "../reading-store.ts";

/** The fields that a scan limits: `timestamp` and `arrived` of readings, the starts of windows and segments. */
export type ScanFields = { readonly time: string; readonly arrived: string };

export const readingFields: ScanFields = { time: "timestamp", arrived: "arrived" };
export const partialFields: ScanFields = { time: "window_start", arrived: "segment_start" };

/** Longer spans than this are found by device first, if devices are named. */
const deviceFirstMs = 3_600_000;

/**
 * Returns the stages that find a scan's documents, without the excepted ones. MongoDB plans them as one condition. The
 * first stage alone can use an index, for databases that plan only the first stage.
 */
export function scanStages(request: {
  readonly scan: Scan;
  readonly fields: ScanFields;
  readonly filter: SeriesFilter;
  readonly except?: readonly SeriesSpan[];
}): Document[] {
  const { scan, fields, filter, except = [] } = request;
  const time = between(fields.time, scan.sinceMs, scan.toMs);
  const arrived = between(fields.arrived, scan.arrivedSinceMs, scan.arrivedToMs);
  const series = seriesCondition(filter);
  const excepted = except
    .filter((span) => span.sinceMs < scan.toMs && span.toMs > scan.sinceMs)
    .flatMap((span) => spanConditions(span, fields.time));
  const rest = excepted.length > 0 ? [{ $nor: excepted }] : [];
  const isOneSeries = filter.deviceIds.length === 1 && filter.sensors.length === 1;
  if (isOneSeries) return matches({ ...series, ...time }, arrived, ...rest);
  if (Number.isFinite(scan.arrivedSinceMs)) return matches(arrived, { ...time, ...series }, ...rest);
  if (filter.deviceIds.length > 0 && scan.toMs - scan.sinceMs > deviceFirstMs) {
    return matches({ device_id: series.device_id }, { ...series, ...time, ...arrived }, ...rest);
  }
  return matches(time, { ...series, ...arrived }, ...rest);
}

/** Returns the stages that find the documents of all scans of at least one series; see `scanStages`. */
export function seriesScanStages(scans: readonly SeriesScan[], fields: ScanFields): Document[] {
  const conditions = scans.flatMap((scan) =>
    spanConditions(scan, fields.time).map((condition) => ({
      ...condition,
      ...between(fields.arrived, scan.arrivedSinceMs, scan.arrivedToMs),
    })),
  );
  return matches(commonCondition(scans, fields.time), { $or: conditions });
}

/** Returns the common condition of at least one span, which an index serves. */
export function commonCondition(spans: readonly SeriesSpan[], timeField: string): Document {
  const time = between(
    timeField,
    Math.min(...spans.map(({ sinceMs }) => sinceMs)),
    Math.max(...spans.map(({ toMs }) => toMs)),
  );
  const names = new Set(
    spans.flatMap(({ series }) => series.map(({ deviceId, sensor }) => `${deviceId}|${sensor}`)),
  );
  const one = names.size === 1 ? spans[0]?.series[0] : undefined;
  return one ? { device_id: one.deviceId, sensor: one.sensor, ...time } : time;
}

/** Returns the conditions of a span, one for each sensor of its series. */
export function spanConditions(span: SeriesSpan, timeField: string): Document[] {
  const bySensor = Map.groupBy(span.series, ({ sensor }: SeriesName) => sensor);
  return [...bySensor].map(([sensor, series]) => ({
    sensor,
    device_id: oneOf(series.map(({ deviceId }) => deviceId)),
    ...between(timeField, span.sinceMs, span.toMs),
  }));
}

/** Returns the condition of a filter; empty if it matches all. */
export function seriesCondition({ deviceIds, sensors }: SeriesFilter): Document {
  return {
    ...(deviceIds.length > 0 && { device_id: oneOf(deviceIds) }),
    ...(sensors.length > 0 && { sensor: oneOf(sensors) }),
  };
}

/** Returns `field` in [sinceMs, toMs); an infinite bound is none. */
export function between(field: string, sinceMs: number, toMs: number): Document {
  const bounds = {
    ...(Number.isFinite(sinceMs) && { $gte: new Date(sinceMs) }),
    ...(Number.isFinite(toMs) && { $lt: new Date(toMs) }),
  };
  return Object.keys(bounds).length > 0 ? { [field]: bounds } : {};
}

function oneOf(names: readonly string[]): string | Document {
  return names.length === 1 ? (names[0] as string) : { $in: [...names] };
}

function matches(...conditions: readonly Document[]): Document[] {
  return conditions
    .filter((condition) => Object.keys(condition).length > 0)
    .map((condition) => ({ $match: condition }));
}
