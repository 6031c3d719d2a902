import type { DeviceMessage } from "@devicemesh/proto";
import { partialOfReading } from "../../src/plan/merge.ts";
import { compareSeries } from "../../src/plan/series-order.ts";
import type {
  ReadingKey,
  ReadPlan,
  Scan,
  SeriesFilter,
  SeriesName,
  SeriesPartial,
  SeriesSpan,
} from "../../src/store/reading-store.ts";

/** A reading in memory. */
export type StoredReading = DeviceMessage & { readonly arrivedMs: number };
/** A partial in memory; of a raw reading, its own time and arrival. */
export type StoredPartial = SeriesPartial & { readonly windowMs: number; readonly segmentMs: number };

/** Converts a stored reading to a partial of itself, with its own window and segment. */
export function partialOfStored(reading: StoredReading): StoredPartial {
  return {
    ...partialOfReading(reading),
    deviceId: reading.deviceId,
    sensor: reading.sensor,
    bucketMs: 0,
    fromRaw: 1,
    windowMs: reading.timestampMs,
    segmentMs: reading.arrivedMs,
  };
}

/** Returns the results of a plan's scans over partials and raw readings; a partial in two scans is found twice. */
export function scanned(
  plan: Pick<ReadPlan, "levels" | "raw" | "duplicates">,
  stored: { readonly levels: readonly (readonly StoredPartial[])[]; readonly raw: readonly StoredPartial[] },
): StoredPartial[] {
  const find = (
    partials: readonly StoredPartial[],
    scans: readonly (Scan & { readonly series?: readonly SeriesName[] })[],
    except: readonly SeriesSpan[],
  ) =>
    scans.flatMap(({ series, ...scan }) =>
      partials.filter(
        (partial) =>
          isIn(scan, partial) &&
          (series ? isOneOf(series, partial) : !except.some((span) => isOf(span, partial))),
      ),
    );
  const { duplicates } = plan;
  return [
    ...stored.levels.flatMap((partials, level) => [
      ...find(partials, plan.levels[level] ?? [], duplicates?.except.levels[level] ?? []),
      ...find(partials, duplicates?.levels[level] ?? [], []),
    ]),
    ...find(stored.raw, plan.raw, duplicates?.except.raw ?? []),
    ...find(stored.raw, duplicates?.raw ?? [], []),
  ];
}

/** Whether a window (or reading) of a series lies in one of its spans. */
export function isOf(span: SeriesSpan, window: SeriesName & { readonly windowMs: number }): boolean {
  const { windowMs } = window;
  return windowMs >= span.sinceMs && windowMs < span.toMs && isOneOf(span.series, window);
}

/** Returns the predicate of a filter. */
export function matcher({ deviceIds, sensors }: SeriesFilter): (series: SeriesName) => boolean {
  const [wantedDevices, wantedSensors] = [new Set(deviceIds), new Set(sensors)];
  return ({ deviceId, sensor }) =>
    (wantedDevices.size === 0 || wantedDevices.has(deviceId)) &&
    (wantedSensors.size === 0 || wantedSensors.has(sensor));
}

/** By timestamp, then device_id, then sensor. */
export function compareKeys(a: ReadingKey, b: ReadingKey): number {
  return a.timestampMs - b.timestampMs || compareSeries(a, b);
}

function isOneOf(series: readonly SeriesName[], { deviceId, sensor }: SeriesName): boolean {
  return series.some((one) => one.deviceId === deviceId && one.sensor === sensor);
}

function isIn(scan: Scan, { windowMs, segmentMs }: StoredPartial): boolean {
  return (
    windowMs >= scan.sinceMs &&
    windowMs < scan.toMs &&
    segmentMs >= scan.arrivedSinceMs &&
    segmentMs < scan.arrivedToMs
  );
}
