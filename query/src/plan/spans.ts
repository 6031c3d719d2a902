import { alignDown, alignUp, type Level } from "@devicemesh/proto";
import { type BucketGrid, type BucketRun, bucketStarts, countBuckets } from "../calendar/bucket-grid.ts";
import type { Scan } from "../store/reading-store.ts";

/** A span of timestamps, ms since 1970: since inclusive, to exclusive. */
export type Span = { readonly sinceMs: number; readonly toMs: number };

/** Whether a reading, or a partial by the starts of its window and segment, lies in a scan. */
export function isInScan(scan: Scan, timestampMs: number, arrivedMs: number): boolean {
  return (
    timestampMs >= scan.sinceMs &&
    timestampMs < scan.toMs &&
    arrivedMs >= scan.arrivedSinceMs &&
    arrivedMs < scan.arrivedToMs
  );
}

/** Returns the parts of spans, with their other properties, that lie inside a span. */
export function clippedTo<Each extends Span>(spans: readonly Each[], { sinceMs, toMs }: Span): Each[] {
  return spans
    .filter((span) => span.sinceMs < toMs && span.toMs > sinceMs)
    .map((span) => ({
      ...span,
      sinceMs: Math.max(span.sinceMs, sinceMs),
      toMs: Math.min(span.toMs, toMs),
    }));
}

/** Returns the spans in order, with touching and overlapping ones merged; up to `gapMs` apart counts as touching. */
export function joinedSpans(spans: readonly Span[], gapMs = 0): Span[] {
  const result: Span[] = [];
  for (const { sinceMs, toMs } of spans.toSorted((a, b) => a.sinceMs - b.sinceMs)) {
    const last = result.at(-1);
    if (last && sinceMs <= last.toMs + gapMs) {
      result[result.length - 1] = { sinceMs: last.sinceMs, toMs: Math.max(last.toMs, toMs) };
    } else result.push({ sinceMs, toMs });
  }
  return result;
}

/** Returns `spans` without `holes`; both in order and not overlapping. */
export function without(spans: readonly Span[], holes: readonly Span[]): Span[] {
  const result: Span[] = [];
  let place = 0;
  for (const span of spans) {
    let { sinceMs } = span;
    while (place > 0 && (holes[place - 1] as Span).toMs > sinceMs) place--;
    for (; place < holes.length && (holes[place] as Span).sinceMs < span.toMs; place++) {
      const hole = holes[place] as Span;
      if (hole.toMs <= sinceMs) continue;
      if (hole.sinceMs > sinceMs) result.push({ sinceMs, toMs: hole.sinceMs });
      sinceMs = hole.toMs;
    }
    if (sinceMs < span.toMs) result.push({ sinceMs, toMs: span.toMs });
  }
  return result;
}

/** A span of a timeframe, and the level whose windows serve it; `rawPlace` for raw readings. */
export type ServedSpan = Span & { readonly serving: number };

/** The index of raw readings, below the finest level. */
export const rawPlace = -1;

/**
 * Maximum number of buckets that one plan divides one by one: each has up to twenty scans, and each scan needs buffers
 * in the store's memory. With 50 buckets a few readings exhausted 64 MiB of the embedded store.
 */
export const bucketsCutMax = 12;

/** A bucket with at least this number of windows is divided at its boundaries, so that the windows inside it serve. */
const windowsCutMin = 7;

/**
 * Divides a timeframe where the serving level changes: raw, finer, coarse, finer, raw; with buckets, so that no window
 * crosses the boundary of one. In order of time. Pure.
 */
export function regions(timeframe: Span, levels: readonly Level[], buckets?: BucketGrid): ServedSpan[] {
  if (!buckets) return regionsOf(timeframe, levels);
  return joined(
    buckets.flatMap((run) => {
      const inside = {
        sinceMs: Math.max(run.sinceMs, timeframe.sinceMs),
        toMs: Math.min(run.toMs, timeframe.toMs),
      };
      if (inside.sinceMs >= inside.toMs) return [];
      const { aligned, fitting } = levelsOf(run, levels);
      const isCut = fitting.length > aligned.length && countBuckets([run], inside) <= bucketsCutMax;
      if (!isCut) return regionsOf(inside, aligned);
      return [...bucketStarts([run], inside)].flatMap((startMs) =>
        regionsOf(
          { sinceMs: Math.max(startMs, inside.sinceMs), toMs: Math.min(startMs + run.sizeMs, inside.toMs) },
          fitting,
        ),
      );
    }),
  );
}

/**
 * Whether a plan of few buckets reads fewer windows than one of many, because it divides them one by one; see
 * `bucketsCutMax`. Pure.
 */
export function isCutByBucket(buckets: BucketGrid, levels: readonly Level[]): boolean {
  return buckets.some((run) => {
    const { aligned, fitting } = levelsOf(run, levels);
    return fitting.length > aligned.length;
  });
}

/**
 * Returns the finest levels: those whose windows no boundary of a bucket cuts, and those worth a division at each
 * boundary.
 */
function levelsOf(
  { sinceMs, sizeMs }: BucketRun,
  levels: readonly Level[],
): { readonly aligned: readonly Level[]; readonly fitting: readonly Level[] } {
  const isAligned = ({ windowMs }: Level): boolean => sizeMs % windowMs === 0 && sinceMs % windowMs === 0;
  const aligned = levels.filter(isAligned);
  const fitting = levels.filter((level) => isAligned(level) || sizeMs >= windowsCutMin * level.windowMs);
  return { aligned, fitting };
}

/** Returns the parts of a timeframe that any window of these levels may be in. */
function regionsOf(timeframe: Span, levels: readonly Level[]): ServedSpan[] {
  const before: ServedSpan[] = [];
  const after: ServedSpan[] = [];
  let { sinceMs, toMs } = timeframe;
  let serving = rawPlace;
  for (const [level, { windowMs }] of levels.entries()) {
    const wholeSinceMs = alignUp(sinceMs, windowMs);
    const wholeToMs = alignDown(toMs, windowMs);
    if (wholeSinceMs >= wholeToMs) break;
    before.push({ sinceMs, toMs: wholeSinceMs, serving });
    after.push({ sinceMs: wholeToMs, toMs, serving });
    [sinceMs, toMs, serving] = [wholeSinceMs, wholeToMs, level];
  }
  return [...before, { sinceMs, toMs, serving }, ...after.reverse()].filter(
    (region) => region.sinceMs < region.toMs,
  );
}

/** Merges adjacent spans that one level serves. */
function joined(spans: readonly ServedSpan[]): ServedSpan[] {
  const result: ServedSpan[] = [];
  for (const span of spans) {
    const last = result.at(-1);
    if (last?.serving === span.serving && last.toMs === span.sinceMs) {
      result[result.length - 1] = { ...last, toMs: span.toMs };
    } else result.push(span);
  }
  return result;
}
