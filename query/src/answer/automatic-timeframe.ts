import { fixedGrid } from "../calendar/bucket-grid.ts";
import type { Span } from "../plan/spans.ts";
import type { ReadingStore, SeriesFilter, SeriesPartial } from "../store/reading-store.ts";
import { type Extent, findExtent, isEmpty } from "./extent.ts";
import type { Timeframe } from "./read-timeframe.ts";
import { readTimeframe } from "./read-timeframe.ts";

/** Readings that a timeframe leaves out: their number, and the first and last timestamp, ms since 1970. */
export type Outside = { readonly count: number; readonly firstMs: number; readonly lastMs: number };

/**
 * A timeframe whose missing bounds follow the readings, the extent of its readings, and the readings that it leaves
 * out.
 */
export type AutomaticTimeframe = {
  readonly timeframe: Timeframe;
  readonly extent: Extent;
  readonly outside: readonly Outside[];
};

/** Readings up to this far ahead of the server's clock count as current, because clocks are never exact. */
const aheadMs = 60_000;

/** Maximum share of readings that may be left out. */
const outsideShareMax = 0.25;

/** Old readings are left out if the gap after them is this many times as long as the rest, and at least a day. */
const gapRatioMin = 10;
const gapMin = 86_400_000;

/** Number of buckets in which a gap is searched, repeatedly in the remaining span. */
const bucketsOfRead = 60;
const readsMax = 4;

/** More partials than this in total are not worth the search. */
const partialsOfReadMax = 300_000;

/**
 * Chooses the bounds that a request leaves unset. They include all readings except those of wrong clocks: readings
 * ahead of the server's clock, and old ones far from all others, each only if they are few. Bounds of the request are
 * kept. Throws the errors of the store.
 */
export async function chooseTimeframe(
  { store, nowMs }: { readonly store: ReadingStore; readonly nowMs: number },
  { filter, timeframe }: { readonly filter: SeriesFilter; readonly timeframe: Timeframe },
  signal: AbortSignal,
): Promise<AutomaticTimeframe> {
  const find = (span: Span): Promise<Extent> => findExtent(store, { filter, timeframe: span }, signal);
  const whole = await find(timeframe);
  const outside: Outside[] = [];
  let chosen: Timeframe = timeframe;
  let extent = whole;

  const presentMs = nowMs + aheadMs;
  if (!timeframe.hasTo && extent.toMs > presentMs && extent.sinceMs < presentMs) {
    const ahead = await find({ sinceMs: presentMs, toMs: timeframe.toMs });
    if (isFew(ahead.count, whole)) {
      outside.push(outsideOf(ahead));
      chosen = { ...chosen, toMs: ahead.sinceMs };
      extent = await find(chosen);
    }
  }
  for (let reads = 0; !timeframe.hasSince && reads < readsMax; reads++) {
    const afterMs = await findGap(store, { filter, extent }, signal);
    if (afterMs === undefined) break;
    const before = await find({ sinceMs: timeframe.sinceMs, toMs: afterMs });
    if (isEmpty(before) || !isFew(before.count, whole)) break;
    outside.splice(
      0,
      outside.length,
      ...outside.filter(({ firstMs }) => firstMs >= afterMs),
      outsideOf(before),
    );
    chosen = { ...chosen, sinceMs: before.toMs };
    extent = await find(chosen);
  }
  return { timeframe: chosen, extent, outside: outside.sort((a, b) => a.firstMs - b.firstMs) };
}

/** Returns the start of the readings after the last long gap, if there is one. */
async function findGap(
  store: ReadingStore,
  { filter, extent }: { readonly filter: SeriesFilter; readonly extent: Extent },
  signal: AbortSignal,
): Promise<number | undefined> {
  const lengthMs = extent.toMs - extent.sinceMs;
  if (lengthMs < gapMin || extent.partials * bucketsOfRead > partialsOfReadMax) return undefined;
  const { windowMs } = store.levels.findLast(({ windowMs: ms }) => ms * bucketsOfRead <= lengthMs) ?? {};
  if (windowMs === undefined) return undefined;
  const buckets = fixedGrid(Math.ceil(lengthMs / bucketsOfRead / windowMs) * windowMs);
  const { partials } = await readTimeframe(
    store,
    { filter, timeframe: extent, buckets, mergeDevices: true },
    signal,
  );
  return lastLongGap(partials);
}

/**
 * Returns where the readings resume after the last gap that is long relative to the rest; undefined if there is none.
 * Pure.
 */
export function lastLongGap(
  partials: readonly Pick<SeriesPartial, "bucketMs" | "firstAtMs" | "lastAtMs">[],
): number | undefined {
  const spans = [...Map.groupBy(partials, ({ bucketMs }) => bucketMs).values()]
    .map((inBucket) => ({
      firstMs: Math.min(...inBucket.map(({ firstAtMs }) => firstAtMs)),
      lastMs: Math.max(...inBucket.map(({ lastAtMs }) => lastAtMs)),
    }))
    .sort((a, b) => a.firstMs - b.firstMs);
  const endMs = spans.at(-1)?.lastMs ?? 0;
  return spans
    .filter(({ firstMs }, place) => {
      const gapMs = firstMs - (spans[place - 1]?.lastMs ?? firstMs);
      return gapMs >= gapMin && gapMs >= gapRatioMin * (endMs - firstMs);
    })
    .at(-1)?.firstMs;
}

function isFew(count: number, whole: Extent): boolean {
  return count > 0 && count <= outsideShareMax * whole.count;
}

function outsideOf({ count, sinceMs, toMs }: Extent): Outside {
  return { count, firstMs: sinceMs, lastMs: toMs - 1 };
}
