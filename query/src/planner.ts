import { alignDown, alignUp, earliestTimestampMs, type Level, latestTimestampMs } from "@devicemesh/proto";
import type { ReadPlan, Scan, StoreHorizon } from "./reading-store.ts";

/** A span of timestamps, ms since 1970: since inclusive, to exclusive. */
export type Span = { readonly sinceMs: number; readonly toMs: number };

/** What to read for a timeframe, and what of the timeframe can no longer be told. */
export type PlannedRead = {
  readonly plan: ReadPlan;
  /** In order, apart from each other; empty if the answer is exact. */
  readonly notCovered: readonly Span[];
};

/** All timestamps that a reading can have, aligned to days. */
export const allTime: Span = { sinceMs: earliestTimestampMs, toMs: latestTimestampMs };

/**
 * Plans the read of the readings with a timestamp in [sinceMs, toMs), which is clamped to `allTime`. With
 * bucketMs (a multiple of the finest window) no window reaches over the border of a bucket.
 *
 * Each moment of the timeframe is served by the coarsest level whose window around it lies wholly inside
 * the timeframe, or by raw readings. What that level has not folded yet comes from the level below, and so
 * on down to raw, so that each reading is in exactly one scan.
 *
 * A moment is covered if the level that serves it still keeps it (`levelsKeptSinceMs`, `rawKeptSinceMs`).
 * What is not yet folded upwards never expires, so nothing else is needed. A moment that is not covered is
 * left out wholly, also where some of its readings happen to be there still.
 */
export function planRead(request: {
  readonly sinceMs: number;
  readonly toMs: number;
  readonly levels: readonly Level[];
  readonly horizon: StoreHorizon;
  readonly bucketMs?: number | undefined;
}): PlannedRead {
  const { levels, horizon, bucketMs } = request;
  const { frontiersMs, levelsKeptSinceMs, rawKeptSinceMs } = horizon;
  const timeframe = clamped(request);
  const usable = levels.filter(({ windowMs }) => bucketMs === undefined || bucketMs % windowMs === 0);
  const levelScans: Scan[][] = levels.map(() => []);
  const rawScans: Scan[] = [];
  const notCovered: Span[] = [];

  for (const { serving, ...span } of regions(timeframe, usable)) {
    const keptSinceMs = serving === rawPlace ? rawKeptSinceMs : (levelsKeptSinceMs[serving] as number);
    const sinceMs = Math.min(Math.max(span.sinceMs, keptSinceMs), span.toMs);
    if (span.sinceMs < sinceMs) notCovered.push({ sinceMs: span.sinceMs, toMs: sinceMs });
    let arrivedSinceMs = Number.NEGATIVE_INFINITY;
    for (let level = serving; level > rawPlace; level--) {
      // A frontier of 0 means that nothing is folded.
      const arrivedToMs = (frontiersMs[level] as number) || Number.NEGATIVE_INFINITY;
      addScan(levelScans[level] as Scan[], { sinceMs, toMs: span.toMs, arrivedSinceMs, arrivedToMs });
      arrivedSinceMs = arrivedToMs;
    }
    addScan(rawScans, { sinceMs, toMs: span.toMs, arrivedSinceMs, arrivedToMs: Number.POSITIVE_INFINITY });
  }
  return { plan: { levels: levelScans, raw: rawScans }, notCovered: joined(notCovered) };
}

/** The place of raw readings, below the finest level. */
const rawPlace = -1;

function clamped({ sinceMs, toMs }: Span): Span {
  return { sinceMs: Math.max(sinceMs, allTime.sinceMs), toMs: Math.min(toMs, allTime.toMs) };
}

/** A span, and the coarsest level (or raw) that can serve it. */
type Region = Span & { readonly serving: number };

/** Cuts a timeframe where the serving level changes: raw, finer, coarse, finer, raw. In order of time. */
function regions(timeframe: Span, usable: readonly Level[]): Region[] {
  const before: Region[] = [];
  const after: Region[] = [];
  let { sinceMs, toMs } = timeframe;
  let serving = rawPlace;
  for (const [level, { windowMs }] of usable.entries()) {
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

/** Adds a scan to a list in order of time; one that goes on from the last is made one with it. */
function addScan(scans: Scan[], scan: Scan): void {
  if (scan.sinceMs >= scan.toMs || scan.arrivedSinceMs >= scan.arrivedToMs) return;
  const last = scans.at(-1);
  if (
    last?.toMs === scan.sinceMs &&
    last.arrivedSinceMs === scan.arrivedSinceMs &&
    last.arrivedToMs === scan.arrivedToMs
  ) {
    scans[scans.length - 1] = { ...last, toMs: scan.toMs };
  } else {
    scans.push(scan);
  }
}

function joined(spans: readonly Span[]): Span[] {
  const result: Span[] = [];
  for (const span of spans) {
    const last = result.at(-1);
    if (last?.toMs === span.sinceMs) result[result.length - 1] = { ...last, toMs: span.toMs };
    else result.push(span);
  }
  return result;
}
