import { alignDown, alignUp, earliestTimestampMs, type Level, latestTimestampMs } from "@devicemesh/proto";
import { type MarkedSeries, markWindows, widenMarked } from "./marked-windows.ts";
import type { ReadPlan, Scan, StoreHorizon, WindowRepeats } from "./reading-store.ts";
import { type PlannedRepeats, planRepeats, type ServedSpan } from "./repeats-plan.ts";
import { joinedSpans, type Span, without } from "./spans.ts";

export type { Span } from "./spans.ts";

/** What to read for a timeframe, and what of the timeframe can no longer be told. */
export type PlannedRead = {
  readonly plan: ReadPlan;
  /** In order, apart from each other; empty if the answer is exact. A span may be left out of some series only. */
  readonly notCovered: readonly Span[];
};

/** All timestamps that a reading can have, aligned to days. */
export const allTime: Span = { sinceMs: earliestTimestampMs, toMs: latestTimestampMs };

/**
 * The most spans and scans of series with repeats in a plan: each is a condition of a query. Beyond, windows
 * close to each other are read as one span of raw readings.
 */
export const repeatSpansMax = 400;

/**
 * Plans the read of the readings with a timestamp in [sinceMs, toMs), which is clamped to `allTime`. With
 * bucketMs (a multiple of the finest window) no window reaches over the border of a bucket.
 *
 * Each moment of the timeframe is served by the coarsest level whose window around it lies wholly inside
 * the timeframe, or by raw readings. What that level has not folded yet comes from the level below, and so
 * on down to raw, so that each reading is in exactly one scan.
 *
 * `repeats` are the windows with repeats in the timeframe, read after the horizon. For their series a moment is
 * served by a finer level, whose window around it holds none of them; they themselves by their repairs and what
 * arrived since, or by raw readings (`markWindows` says which).
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
  readonly repeats?: readonly WindowRepeats[] | undefined;
  /** `repeatSpansMax` by default. */
  readonly spansMax?: number | undefined;
}): PlannedRead {
  const { levels, horizon, bucketMs, repeats = [], spansMax = repeatSpansMax } = request;
  const timeframe = clamped(request);
  const usable = levels.filter(({ windowMs }) => bucketMs === undefined || bucketMs % windowMs === 0);
  const marked = markWindows(repeats, { horizon, windowMs: (levels[0] as Level).windowMs });
  const served = keptSpans(regions(timeframe, usable), horizon);
  const fine = planMarked({ spans: served.spans, marked, levels, horizon, spansMax });
  if (fine.size <= spansMax) return planOf(served, fine, request);
  // Too many series are marked, each in another way: where raw readings are kept, they serve all series.
  const all = joinedSpans(marked.flatMap(({ windows }) => windows));
  const rawSpan = {
    sinceMs: Math.max(all[0]?.sinceMs ?? 0, horizon.rawKeptSinceMs, timeframe.sinceMs),
    toMs: Math.min(all.at(-1)?.toMs ?? 0, timeframe.toMs),
  };
  const around = without([timeframe], rawSpan.sinceMs < rawSpan.toMs ? [rawSpan] : []);
  const cut = [...around.flatMap((span) => regions(span, usable)), { ...rawSpan, serving: rawPlace }].filter(
    (region) => region.sinceMs < region.toMs,
  );
  const coarse = keptSpans(
    cut.sort((a, b) => a.sinceMs - b.sinceMs),
    horizon,
  );
  return planOf(coarse, planRepeats({ spans: coarse.spans, marked, levels, horizon }), request);
}

/** The place of raw readings, below the finest level. */
const rawPlace = -1;

/** Plans the marked windows, with wider and wider gaps until the plan is small enough or there is no wider one. */
function planMarked(request: {
  readonly spans: readonly ServedSpan[];
  readonly marked: readonly MarkedSeries[];
  readonly levels: readonly Level[];
  readonly horizon: StoreHorizon;
  readonly spansMax: number;
}): PlannedRepeats {
  const { marked, levels, horizon, spansMax } = request;
  let planned = planRepeats(request);
  for (const gapMs of [0, ...levels.map(({ windowMs }) => windowMs), Number.POSITIVE_INFINITY]) {
    if (planned.size <= spansMax) break;
    const widened = widenMarked(marked, { gapMs, rawKeptSinceMs: horizon.rawKeptSinceMs });
    planned = planRepeats({ ...request, marked: widened });
  }
  return planned;
}

type KeptSpans = { readonly spans: readonly ServedSpan[]; readonly notCovered: readonly Span[] };

/** The parts of the spans that the levels which serve them still keep, and those that they do not. */
function keptSpans(
  spans: readonly ServedSpan[],
  { levelsKeptSinceMs, rawKeptSinceMs }: StoreHorizon,
): KeptSpans {
  const notCovered: Span[] = [];
  const kept = spans.map(({ serving, ...span }) => {
    const keptSinceMs = serving === rawPlace ? rawKeptSinceMs : (levelsKeptSinceMs[serving] as number);
    const sinceMs = Math.min(Math.max(span.sinceMs, keptSinceMs), span.toMs);
    if (span.sinceMs < sinceMs) notCovered.push({ sinceMs: span.sinceMs, toMs: sinceMs });
    return { sinceMs, toMs: span.toMs, serving };
  });
  return { spans: kept.filter(({ sinceMs, toMs }) => sinceMs < toMs), notCovered };
}

/** The scans of the spans for all series, with what is read otherwise. */
function planOf(
  { spans, notCovered }: KeptSpans,
  repeats: PlannedRepeats,
  { levels, horizon: { frontiersMs } }: { readonly levels: readonly Level[]; readonly horizon: StoreHorizon },
): PlannedRead {
  const levelScans: Scan[][] = levels.map(() => []);
  const rawScans: Scan[] = [];
  for (const { serving, sinceMs, toMs } of spans) {
    let arrivedSinceMs = Number.NEGATIVE_INFINITY;
    for (let level = serving; level > rawPlace; level--) {
      // A frontier of 0 means that nothing is folded.
      const arrivedToMs = (frontiersMs[level] as number) || Number.NEGATIVE_INFINITY;
      addScan(levelScans[level] as Scan[], { sinceMs, toMs, arrivedSinceMs, arrivedToMs });
      arrivedSinceMs = arrivedToMs;
    }
    addScan(rawScans, { sinceMs, toMs, arrivedSinceMs, arrivedToMs: Number.POSITIVE_INFINITY });
  }
  return {
    plan: { levels: levelScans, raw: rawScans, ...(repeats.plan && { repeats: repeats.plan }) },
    notCovered: joinedSpans([...notCovered, ...repeats.notCovered]),
  };
}

function clamped({ sinceMs, toMs }: Span): Span {
  return { sinceMs: Math.max(sinceMs, allTime.sinceMs), toMs: Math.min(toMs, allTime.toMs) };
}

/** Cuts a timeframe where the serving level changes: raw, finer, coarse, finer, raw. In order of time. */
function regions(timeframe: Span, usable: readonly Level[]): ServedSpan[] {
  const before: ServedSpan[] = [];
  const after: ServedSpan[] = [];
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
