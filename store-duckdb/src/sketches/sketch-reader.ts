import type { Level, SensorName } from "@devicemesh/proto";
import {
  cutScan,
  expiredSpans,
  type ReadingStore,
  type Scan,
  type SeriesSketch,
  type SketchesRead,
  type Span,
} from "@devicemesh/query";
import type { PartialSource } from "../database/store-sql.ts";
import type { Columns, DuckdbReaders } from "../read/duckdb-readers.ts";
import { partialSources } from "../read/partials-reader.ts";
import type { SeriesRegistry } from "../series/series-registry.ts";
import { bucketRowsSql } from "./sketch-sql.ts";

/** The request: the scans of a plan, for some series. */
export type SketchesRequest = Parameters<ReadingStore["readSketches"]>[0] & {
  readonly seriesCondition: string;
};

/** The dependencies of reading sketches. */
export type SketchReaderDependencies = {
  readonly registry: SeriesRegistry;
  readonly readers: DuckdbReaders;
  readonly levels: readonly Level[];
  /** Raw readings with an earlier timestamp may have expired. */
  readonly rawKeptSinceMs: number;
};

/**
 * Reads the sketches of a plan, and raw readings instead of partials without one. The engine merges them by series or,
 * if devices are merged, by sensor. Throws the errors of the readers.
 */
export async function readSketches(
  dependencies: SketchReaderDependencies,
  request: SketchesRequest,
  signal: AbortSignal,
): Promise<SketchesRead> {
  const { registry, readers } = dependencies;
  const { mergeDevices, seriesCondition, buckets } = request;
  const { plan, notCovered } = await withoutGaps(dependencies, request, signal);
  const sources = partialSources({ plan, seriesCondition, buckets });
  if (sources.length === 0) return { sketches: [], notCovered };
  const found = new Map<string, SeriesSketch & { readonly sketch: Map<number, number> }>();
  function add([keys = [], starts = [], valueBuckets = [], counts = []]: Columns): void {
    for (const [row, key] of keys.entries()) {
      const bucketMs = starts[row] as number;
      const place = `${key}\n${bucketMs}`;
      const known = found.get(place);
      const series = known ?? { ...seriesOf(key as number | string, registry), bucketMs, sketch: new Map() };
      if (!known) found.set(place, series);
      series.sketch.set(valueBuckets[row] as number, counts[row] as number);
    }
  }
  await readers.readEach(mergedBucketsSql(sources, mergeDevices), signal, add);
  return { sketches: [...found.values()], notCovered };
}

/** Converts a code of a series, or the name of a sensor whose devices are merged. */
function seriesOf(key: number | string, registry: SeriesRegistry) {
  if (typeof key === "string") return { deviceId: "", sensor: key as SensorName };
  const { deviceId, sensor } = registry.get(key);
  return { deviceId, sensor };
}

/** Returns SQL for the readings of each value bucket: series or sensor, bucket, value bucket, count. */
function mergedBucketsSql(sources: readonly PartialSource[], mergeDevices: boolean): string {
  const bucket = "bucket" in (sources[0]?.keys ?? {}) ? "bucket::DOUBLE" : "0::DOUBLE";
  const rows = `(${sources.map(bucketRowsSql).join("\nUNION ALL ")}) AS counted`;
  const columns = `${bucket}, value_bucket, sum(readings)::DOUBLE`;
  return mergeDevices
    ? `SELECT sensor, ${columns} FROM ${rows} JOIN series AS names ON names.code = counted.series GROUP BY ALL`
    : `SELECT series, ${columns} FROM ${rows} GROUP BY ALL`;
}

/** Returns the plan with raw readings instead of partials without a sketch, and the spans where they may have expired. */
async function withoutGaps(
  { readers, levels, rawKeptSinceMs }: SketchReaderDependencies,
  { plan, seriesCondition, buckets }: SketchesRequest,
  signal: AbortSignal,
): Promise<{ readonly plan: SketchesRequest["plan"]; readonly notCovered: readonly Span[] }> {
  const scans = plan.levels.flatMap((scans, level) => scans.map((scan) => ({ level, scan })));
  if (scans.length === 0) return { plan, notCovered: [] };
  const sources = partialSources({ plan: { ...plan, raw: [] }, seriesCondition, buckets });
  const rows = sources.map(
    ({ table, where }, place) =>
      `SELECT ${place} AS place, window_start, segment FROM ${table} WHERE ${where} AND sketch IS NULL`,
  );
  const [places = [], first = [], last = [], segments = []] = await readers.read(
    `SELECT place, min(window_start)::DOUBLE, max(window_start)::DOUBLE, max(segment)::DOUBLE FROM (${rows.join("\nUNION ALL ")}) GROUP BY place`,
    signal,
  );
  const cut = new Map(
    places.map((place, row) => {
      const { level, scan } = scans[place as number] as (typeof scans)[number];
      const gap = {
        firstWindowMs: first[row] as number,
        lastWindowMs: last[row] as number,
        lastSegmentMs: segments[row] as number,
      };
      return [scan, cutScan(scan, gap, levels[level] as Level)] as const;
    }),
  );
  const raw: Scan[] = [...cut.values()].map((each) => each.raw);
  return {
    plan: {
      levels: plan.levels.map((all) => all.flatMap((scan) => cut.get(scan)?.sketched ?? [scan])),
      raw: [...plan.raw, ...raw],
    },
    notCovered: expiredSpans(raw, rawKeptSinceMs),
  };
}
