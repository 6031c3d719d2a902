import type { Level } from "@devicemesh/proto";
import type { Span } from "../plan/spans.ts";
import type { Scan } from "../store/reading-store.ts";

/** The partials of a scan that have no sketch: the first and the last of their windows, and their last segment. */
export type SketchGap = {
  readonly firstWindowMs: number;
  readonly lastWindowMs: number;
  readonly lastSegmentMs: number;
};

/** Scans over partials that have sketches, and scans over the raw readings of those that may have none. */
export type CutScan = { readonly sketched: readonly Scan[]; readonly raw: Scan & Span };

/** Returns the gap with one more partial without a sketch; undefined is no gap. */
export function widerGap(gap: SketchGap | undefined, windowMs: number, segmentMs: number): SketchGap {
  return {
    firstWindowMs: Math.min(gap?.firstWindowMs ?? windowMs, windowMs),
    lastWindowMs: Math.max(gap?.lastWindowMs ?? windowMs, windowMs),
    lastSegmentMs: Math.max(gap?.lastSegmentMs ?? segmentMs, segmentMs),
  };
}

/**
 * Divides a scan over partials of a level, so that raw readings stand in for every partial without a sketch. These were
 * stored before all others, so only early segments of few windows are concerned. Pure.
 */
export function cutScan(scan: Scan, gap: SketchGap, { windowMs, segmentMs }: Level): CutScan {
  const { firstWindowMs: sinceMs, lastWindowMs, lastSegmentMs } = gap;
  const toMs = lastWindowMs + windowMs;
  const arrivedToMs = lastSegmentMs + segmentMs;
  const sketched = [
    { ...scan, toMs: sinceMs },
    { ...scan, sinceMs, toMs, arrivedSinceMs: Math.max(scan.arrivedSinceMs, arrivedToMs) },
    { ...scan, sinceMs: toMs },
  ];
  return {
    sketched: sketched.filter((each) => each.sinceMs < each.toMs && each.arrivedSinceMs < each.arrivedToMs),
    raw: { ...scan, sinceMs, toMs, arrivedToMs },
  };
}

/** Returns the spans of these scans over raw readings that may have expired. Pure. */
export function expiredSpans(scans: readonly Span[], rawKeptSinceMs: number): Span[] {
  return scans
    .filter(({ sinceMs }) => sinceMs < rawKeptSinceMs)
    .map(({ sinceMs, toMs }) => ({ sinceMs, toMs: Math.min(toMs, rawKeptSinceMs) }));
}
