import { earliestTimestampMs, type Level, latestTimestampMs } from "@devicemesh/proto";
import type { BucketGrid } from "../calendar/bucket-grid.ts";
import type { ReadPlan, RepeatsFound, RepeatsRequest, Scan, StoreHorizon } from "../store/reading-store.ts";
import { type PlannedRepeats, planRepeats } from "./duplicates-plan.ts";
import { asOneSpan, extentOf, type MarkedSeries, markWindows, widenMarked } from "./marked-windows.ts";
import { rawPlace, regions, type ServedSpan } from "./served-spans.ts";
import { clippedTo, joinedSpans, type Span, without } from "./spans.ts";

export type { Span } from "./spans.ts";

/** What to read for a timeframe, and what of the timeframe can no longer be told. */
export type PlannedRead = {
  readonly plan: ReadPlan;
  /** In order, apart from each other; empty if the answer is exact. A span may be left out of some series only. */
  readonly notCovered: readonly Span[];
};

/** All timestamps that a reading can have, aligned to days. */
export const allTime: Span = { sinceMs: earliestTimestampMs, toMs: latestTimestampMs };

/** The most spans and scans of series with repeats in a plan: each is a condition of a query. */
export const repeatSpansMax = 400;

/** The most series that are named in a plan because of their repeats: each is a value of those conditions. */
export const repeatSeriesMax = 10_000;

type PlanRequest = {
  readonly sinceMs: number;
  readonly toMs: number;
  readonly levels: readonly Level[];
  readonly horizon: StoreHorizon;
  readonly buckets?: BucketGrid | undefined;
};

/**
 * Plans the read of the readings with a timestamp in [sinceMs, toMs), which is clamped to `allTime`. With
 * bucketMs (a multiple of the finest window) no window reaches over the border of a bucket.
 *
 * Each moment of the timeframe is served by the coarsest level whose window around it lies wholly inside
 * the timeframe, or by raw readings. What that level has not folded yet comes from the level below, and so
 * on down to raw, so that each reading is in exactly one scan.
 *
 * `repeats` are the windows with repeats in the timeframe, read after the horizon as `repeatsNeeded` asks. For
 * their series they are read otherwise (`planRepeats`): by their repairs and what arrived since, or by raw readings
 * (`markWindows` says which). The work grows with their number and no faster, and the plan is bounded: a series
 * with too many is read as one span of raw readings, too many spans are joined, series by series, and only where
 * more than `repeatSeriesMax` series have repeats do raw readings serve all series.
 *
 * A moment is covered if the level that serves it still keeps it (`levelsKeptSinceMs`, `rawKeptSinceMs`).
 * What is not yet folded upwards never expires, so nothing else is needed. A moment that is not covered is
 * left out wholly, also where some of its readings happen to be there still.
 */
export function planRead(
  request: PlanRequest & {
    readonly repeats?: RepeatsFound | undefined;
    /** `repeatSpansMax` by default. */
    readonly spansMax?: number | undefined;
    /** `repeatSeriesMax` by default. */
    readonly seriesMax?: number | undefined;
  },
): PlannedRead {
  const {
    levels,
    horizon,
    buckets,
    repeats,
    spansMax = repeatSpansMax,
    seriesMax = repeatSeriesMax,
  } = request;
  const timeframe = clamped(request);
  const spans = regions(timeframe, levels, buckets);
  const windows = repeats?.windows ?? [];
  const isPure = isCoarsePure(horizon, repeats);
  const marked = markWindows(windows, {
    horizon,
    windowMs: (levels[0] as Level).windowMs,
    recentOnly: isPure ? coarseSpans(spans) : [],
  });
  const served = keptSpans(spans, horizon);
  const isListed = repeats?.everySeries === undefined && marked.length <= seriesMax;
  const fine = isListed
    ? planMarked({ spans: served.spans, marked, levels, horizon, isCoarsePure: isPure, sizeMax: spansMax })
    : undefined;
  if (fine) return planOf(served, fine, request);
  const listed = extentOf(marked);
  const extent = joinedSpans(
    [listed, repeats?.everySeries].filter((span) => span !== undefined),
    Number.POSITIVE_INFINITY,
  )[0] as Span;
  return planWithout(extent, { ...request, timeframe, isPure });
}

/**
 * Which windows with repeats the plan of a timeframe needs to know. Where pure levels serve, those that were
 * repeated since the second level's frontier, and whatever those levels are not pure for.
 */
export function repeatsNeeded(request: PlanRequest): readonly Omit<RepeatsRequest, "filter">[] {
  const { levels, horizon, buckets } = request;
  const timeframe = clamped(request);
  const spans = regions(timeframe, levels, buckets);
  const [coarse, ...others] = coarseSpans(spans);
  const pureSinceMs = horizon.coarsePureSinceMs ?? Number.POSITIVE_INFINITY;
  // Where finer windows serve between coarse ones, one read of all is cheaper than many of few.
  if (!coarse || others.length > 0 || pureSinceMs === Number.POSITIVE_INFINITY) {
    return spans.length > 0 ? [{ sinceMs: timeframe.sinceMs, toMs: timeframe.toMs }] : [];
  }
  const fine = spans
    .filter(({ serving }) => serving === 0)
    .map(({ sinceMs, toMs }): Omit<RepeatsRequest, "filter"> => ({ sinceMs, toMs }));
  const relevant = { sinceMs: horizon.frontiersMs[1] as number, beforeMs: pureSinceMs };
  return [...fine, { ...coarse, relevant }];
}

/** Whether the levels above the finest count no reading twice because of these repeats. */
export function isCoarsePure(horizon: StoreHorizon, repeats: RepeatsFound | undefined): boolean {
  const { coarsePureSinceMs = Number.POSITIVE_INFINITY } = horizon;
  const frontierMs = horizon.frontiersMs[0] as number;
  const isPureFor = (firstRepeatMs: number): boolean =>
    firstRepeatMs >= coarsePureSinceMs || firstRepeatMs >= frontierMs;
  return (
    coarsePureSinceMs < Number.POSITIVE_INFINITY &&
    (repeats?.windows.every(({ firstRepeatMs }) => isPureFor(firstRepeatMs)) ?? true) &&
    (repeats?.everySeries === undefined || isPureFor(repeats.everySeries.firstRepeatMs))
  );
}

/** What is planned one by one at most before all spans of a series become one. */
const rowsWidenedMax = 10_000;

/**
 * Plans the marked windows, in wider and wider spans until the plan is small enough: first with what is close
 * together, then with one span a series, then with the same span for all series that are marked, at last without
 * what is left out anyway once raw readings have expired. Undefined if there is no small enough plan.
 */
function planMarked(request: {
  readonly spans: readonly ServedSpan[];
  readonly marked: readonly MarkedSeries[];
  readonly levels: readonly Level[];
  readonly horizon: StoreHorizon;
  readonly isCoarsePure: boolean;
  readonly sizeMax: number;
}): PlannedRepeats | undefined {
  const { marked, levels, horizon } = request;
  const { rawKeptSinceMs } = horizon;
  const planned = planRepeats(request);
  if (planned) return planned;
  const rows = marked.reduce((sum, { windows }) => sum + windows.length, 0);
  const gaps = rows > rowsWidenedMax ? [] : [0, ...levels.map(({ windowMs }) => windowMs)];
  for (const gapMs of [...gaps, Number.POSITIVE_INFINITY]) {
    const wider = planRepeats({ ...request, marked: widenMarked(marked, { gapMs, rawKeptSinceMs }) });
    if (wider) return wider;
  }
  return (
    planRepeats({ ...request, marked: asOneSpan(marked, rawKeptSinceMs) }) ??
    planRepeats({ ...request, marked: asOneSpan(marked, Number.NEGATIVE_INFINITY) })
  );
}

/**
 * Plans a read that takes nothing that any series' repeats in `extent` may have spoilt. Pure levels serve on: only
 * what they have not folded comes from raw readings instead of the finest level. Else raw readings serve.
 */
function planWithout(
  extent: Span,
  request: PlanRequest & {
    readonly timeframe: Span;
    readonly isPure: boolean;
  },
): PlannedRead {
  const { timeframe, levels, buckets, isPure } = request;
  const horizon: StoreHorizon = isPure
    ? {
        ...request.horizon,
        frontiersMs: request.horizon.frontiersMs.map((ms, level, all) => (level === 0 ? (all[1] ?? 0) : ms)),
      }
    : request.horizon;
  const isKept = ({ serving }: ServedSpan): boolean => isPure && serving !== 0;
  const whole = regions(timeframe, levels, buckets);
  const spoilt = isPure ? whole.filter((span) => !isKept(span)) : [timeframe];
  const cut = [
    ...whole.filter(isKept),
    ...without(spoilt, [extent]).flatMap((span) => regions(span, levels, buckets)),
    ...clippedTo(spoilt, extent).map(({ sinceMs, toMs }) => ({ sinceMs, toMs, serving: rawPlace })),
  ];
  const spans = cut.sort((a, b) => a.sinceMs - b.sinceMs);
  return planOf(keptSpans(spans, horizon), { plan: undefined, notCovered: [] }, { ...request, horizon });
}

/** Where a level above the finest serves; in order, those that touch as one. */
function coarseSpans(spans: readonly ServedSpan[]): readonly Span[] {
  return joinedSpans(spans.filter(({ serving }) => serving > 0));
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
