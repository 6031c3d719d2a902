import { Fill, type ListBucketsRequest } from "@devicemesh/proto/es/devicemesh/v1/query_service_pb.ts";
import { type BucketGrid, bucketStarts, countBuckets } from "../calendar/bucket-grid.ts";
import type { Aggregate, Grouping, UnitOf } from "../plan/merge.ts";
import { compareSeries, groupOf, seriesKey } from "../plan/series-order.ts";
import type { Span } from "../plan/spans.ts";
import type { ReadingStore, SeriesFilter } from "../store/reading-store.ts";
import type { FilledFigures, RowPlace } from "./aggregate-rows.ts";
import { checkRows } from "./aggregate-rows.ts";

/** A group of an answer, and the unit of its values: empty if there is more than one. */
export type NamedGroup = { readonly deviceId: string; readonly sensor: string; readonly unit: string };

/** A bucket of a group; without an aggregate it is empty, and has only fill values, if any. */
export type FilledRow = RowPlace & {
  readonly unit: string;
  readonly aggregate?: Aggregate | undefined;
  readonly figures?: FilledFigures | undefined;
};

/** The contents of empty buckets: not listed, with values from their neighbours, or without values. */
export type FillKind = "none" | "null" | "previous" | "linear";

/** Returns the fill of a request: `fill_mode` takes precedence over `fill`. */
export function fillOf({ fill, fillMode }: Pick<ListBucketsRequest, "fill" | "fillMode">): FillKind {
  switch (fillMode) {
    case Fill.NONE:
      return "none";
    case Fill.NULL:
      return "null";
    case Fill.PREVIOUS:
      return "previous";
    case Fill.LINEAR:
      return "linear";
    default:
      return fill ? "null" : "none";
  }
}

/** Maximum number of series of requested devices whose empty buckets are listed: ten for each of 1000 devices. */
const silentSeriesMax = 10_000;

/**
 * Returns the known groups of the requested devices, with or without readings in the timeframe; none if all devices are
 * requested.
 */
export async function silentGroups(
  store: ReadingStore,
  {
    filter,
    grouping,
    unitOf,
  }: { readonly filter: SeriesFilter; readonly grouping: Grouping; readonly unitOf: UnitOf },
  signal: AbortSignal,
): Promise<readonly NamedGroup[]> {
  if (filter.deviceIds.length === 0) return [];
  const { series } = await store.readSeries({ filter, limit: silentSeriesMax }, signal);
  const groups = new Map<string, NamedGroup>();
  for (const each of series) {
    const group = groupOf(grouping, each);
    const unit = unitOf(each.sensor);
    const known = groups.get(seriesKey(group));
    groups.set(seriesKey(group), {
      ...group,
      unit: known === undefined || known.unit === unit ? unit : "",
    });
  }
  return [...groups.values()];
}

/**
 * Returns every bucket of the span for every group, by group, then by start.
 * @throws RpcError RESOURCE_EXHAUSTED if there are too many.
 */
export function filledRows(options: {
  readonly aggregates: readonly Aggregate[];
  readonly silent: readonly NamedGroup[];
  readonly span: Span;
  readonly buckets: BucketGrid;
  readonly fill: Exclude<FillKind, "none">;
}): FilledRow[] {
  const { aggregates, silent, span, buckets, fill } = options;
  const found = Map.groupBy(aggregates, seriesKey);
  const groups = new Map<string, NamedGroup>(silent.map((group) => [seriesKey(group), group]));
  // If the known series of a group have several units, its readings decide.
  for (const [key, [first]] of found) groups.set(key, first as Aggregate);
  checkRows(groups.size * countBuckets(buckets, span), "choose a larger bucket, do not fill, or filter");
  const sorted = [...groups].sort(([, a], [, b]) => compareSeries(a, b));
  return sorted.flatMap(([key, { deviceId, sensor, unit }]) => {
    const byStart = new Map(found.get(key)?.map((aggregate) => [aggregate.bucketMs, aggregate]));
    const rows: FilledRow[] = [];
    for (const startMs of bucketStarts(buckets, span)) {
      rows.push({ deviceId, sensor, unit, bucketMs: startMs, aggregate: byStart.get(startMs) });
    }
    return fill === "null" ? rows : estimated(rows, fill);
  });
}

/** Returns the buckets of one group, with fill values from the nearest non-empty buckets for the empty ones. */
function estimated(rows: readonly FilledRow[], fill: "previous" | "linear"): FilledRow[] {
  const after = new Array<FilledRow | undefined>(rows.length);
  for (let place = rows.length - 1, next: FilledRow | undefined; place >= 0; place--) {
    after[place] = next;
    if (rows[place]?.aggregate) next = rows[place];
  }
  let before: FilledRow | undefined;
  return rows.map((row, place) => {
    if (row.aggregate) {
      before = row;
      return row;
    }
    const [from, to] = [before?.aggregate, after[place]?.aggregate];
    if (!from || (fill === "linear" && !to)) return row;
    const share =
      fill === "previous" || !to ? 0 : (row.bucketMs - from.bucketMs) / (to.bucketMs - from.bucketMs);
    return { ...row, figures: between(figuresOf(from), figuresOf(to ?? from), share) };
  });
}

function figuresOf({ average, partial: { minimum, maximum } }: Aggregate): FilledFigures {
  return { average, minimum, maximum };
}

/** Interpolates linearly between two values; never outside their range. */
function between(from: FilledFigures, to: FilledFigures, share: number): FilledFigures {
  const at = (a: number, b: number): number =>
    share === 0 ? a : Math.min(Math.max(a * (1 - share) + b * share, Math.min(a, b)), Math.max(a, b));
  return {
    average: at(from.average, to.average),
    minimum: at(from.minimum, to.minimum),
    maximum: at(from.maximum, to.maximum),
  };
}
