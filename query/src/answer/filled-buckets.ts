import { alignDown, sensorByName } from "@devicemesh/proto";
import { bucketsIn } from "../plan/bucket-size.ts";
import type { Aggregate, Grouping } from "../plan/merge.ts";
import type { Span } from "../plan/planner.ts";
import { compareSeries } from "../plan/series-order.ts";
import type { ReadingStore, SeriesFilter } from "../store/reading-store.ts";
import { checkRows } from "./answer-limits.ts";
import type { RowPlace } from "./answer-pages.ts";

/** A group of an answer, and the unit of its values: empty if it is not one. */
export type NamedGroup = { readonly deviceId: string; readonly sensor: string; readonly unit: string };

/** A bucket of a group; without an aggregate it is empty. */
export type FilledRow = RowPlace & { readonly unit: string; readonly aggregate?: Aggregate | undefined };

/** The most series of devices asked for whose empty buckets are listed: four for each of 1000 devices, and room. */
const silentSeriesMax = 10_000;

/** The known groups of the devices asked for, whether they have readings in a timeframe or not; none if all are asked for. */
export async function silentGroups(
  store: ReadingStore,
  { filter, grouping }: { readonly filter: SeriesFilter; readonly grouping: Grouping },
  signal: AbortSignal,
): Promise<readonly NamedGroup[]> {
  if (filter.deviceIds.length === 0) return [];
  const { series } = await store.readSeries({ filter, limit: silentSeriesMax }, signal);
  const groups = new Map<string, NamedGroup>();
  for (const each of series) {
    const deviceId = grouping === "series" || grouping === "device" ? each.deviceId : "";
    const sensor = grouping === "series" || grouping === "sensor" ? each.sensor : "";
    const unit = sensorByName(each.sensor)?.unit ?? "";
    const known = groups.get(keyOf({ deviceId, sensor }));
    groups.set(keyOf({ deviceId, sensor }), {
      deviceId,
      sensor,
      unit: known === undefined || known.unit === unit ? unit : "",
    });
  }
  return [...groups.values()];
}

/**
 * Every bucket of the span for every group, by group, then by start.
 * @throws RpcError RESOURCE_EXHAUSTED if there are too many.
 */
export function filledRows(options: {
  readonly aggregates: readonly Aggregate[];
  readonly silent: readonly NamedGroup[];
  readonly span: Span;
  readonly bucketMs: number;
}): FilledRow[] {
  const { aggregates, silent, span, bucketMs } = options;
  const found = Map.groupBy(aggregates, keyOf);
  const groups = new Map<string, NamedGroup>(silent.map((group) => [keyOf(group), group]));
  // Readings tell the unit of a group whose known series have several.
  for (const [key, [first]] of found) groups.set(key, first as Aggregate);
  checkRows(groups.size * bucketsIn(span, bucketMs), "choose a larger bucket, do not fill, or filter");
  const sorted = [...groups].sort(([, a], [, b]) => compareSeries(a, b));
  return sorted.flatMap(([key, { deviceId, sensor, unit }]) => {
    const byStart = new Map(found.get(key)?.map((aggregate) => [aggregate.bucketMs, aggregate]));
    const rows: FilledRow[] = [];
    for (let ms = alignDown(span.sinceMs, bucketMs); ms < span.toMs; ms += bucketMs) {
      rows.push({ deviceId, sensor, unit, bucketMs: ms, aggregate: byStart.get(ms) });
    }
    return rows;
  });
}

function keyOf({ deviceId, sensor }: { readonly deviceId: string; readonly sensor: string }): string {
  return `${deviceId}\n${sensor}`;
}
