import { earliestTimestampMs, type Level, latestTimestampMs } from "@devicemesh/proto";
import type { BucketGrid } from "../calendar/bucket-grid.ts";
import type {
  DuplicateWindowsFound,
  DuplicateWindowsRequest,
  ReadPlan,
  Scan,
} from "../store/reading-store.ts";
import type { StoreHorizon } from "../store/store-status.ts";
import { type PlannedDuplicates, planDuplicates } from "./duplicates-plan.ts";
import { asOneSpan, extentOf, markWindows, widenMarked } from "./marked-windows.ts";
import { clippedTo, joinedSpans, rawPlace, regions, type ServedSpan, type Span, without } from "./spans.ts";

export type { Span } from "./spans.ts";

/** The reads of a timeframe, and the parts of it that can no longer be answered. */
export type PlannedRead = {
  readonly plan: ReadPlan;
  /** In order, not touching; empty if the answer is exact. A span may be left out for some series only. */
  readonly notCovered: readonly Span[];
};

/** All timestamps that a reading can have, aligned to days. */
export const allTime: Span = { sinceMs: earliestTimestampMs, toMs: latestTimestampMs };

/** Maximum number of spans and scans of series with duplicates in a plan: each is a condition of a query. */
export const duplicateSpansMax = 400;

/** Maximum number of series that a plan names because of their duplicates: each is a value in those conditions. */
export const duplicateSeriesMax = 10_000;

type PlanRequest = {
  readonly sinceMs: number;
  readonly toMs: number;
  readonly levels: readonly Level[];
  readonly horizon: StoreHorizon;
  readonly buckets?: BucketGrid | undefined;
};

/**
 * Plans the read of the readings with a timestamp in [sinceMs, toMs), which is clamped to `allTime`. With bucketMs (a
 * multiple of the finest window) no window crosses the boundary of a bucket.
 *
 * Each time of the timeframe is served by the coarsest level whose window around it lies wholly inside the timeframe,
 * or by raw readings. The part that this level has not folded yet comes from the next finer level, and so on down to
 * raw readings, so that each reading is in exactly one scan.
 *
 * `duplicates` are the windows with duplicates in the timeframe, read after the horizon according to `duplicateWindowsNeeded`.
 * Their series are read differently (`planDuplicates`): from their repairs and later arrivals, or from raw readings
 * (`markWindows` decides). The work is linear in their number, and the plan is bounded: a series with too many is read
 * as one span of raw readings; too many spans are joined, series by series; and only if more than `duplicateSeriesMax`
 * series have duplicates, raw readings serve all series.
 *
 * A time is covered if the level that serves it still keeps it (`levelsKeptSinceMs`, `rawKeptSinceMs`). Data that is
 * not yet folded never expires, so nothing else is needed. A time that is not covered is left out completely, even if
 * some of its readings still exist.
 */
export function planRead(
  request: PlanRequest & {
    readonly duplicates?: DuplicateWindowsFound | undefined;
    /** `duplicateSpansMax` by default. */
    readonly spansMax?: number | undefined;
    /** `duplicateSeriesMax` by default. */
    readonly seriesMax?: number | undefined;
  },
): PlannedRead {
  const {
    levels,
    horizon,
    buckets,
    duplicates,
    spansMax = duplicateSpansMax,
    seriesMax = duplicateSeriesMax,
  } = request;
  const timeframe = clamped(request);
  const spans = regions(timeframe, levels, buckets);
  const windows = duplicates?.windows ?? [];
  if (windows.length === 0 && duplicates?.everySeries === undefined) {
    return planOf(keptSpans(spans, horizon), { plan: undefined, notCovered: [] }, request);
  }
  const isPure = isCoarsePure(horizon, duplicates);
  const marked = markWindows(windows, {
    horizon,
    windowMs: (levels[0] as Level).windowMs,
    recentOnly: isPure ? coarseSpans(spans) : [],
  });
  const served = keptSpans(spans, horizon);
  const isListed = duplicates?.everySeries === undefined && marked.length <= seriesMax;
  const fine = isListed
    ? planMarked({ spans: served.spans, marked, levels, horizon, isCoarsePure: isPure, sizeMax: spansMax })
    : undefined;
  if (fine) return planOf(served, fine, request);
  const listed = extentOf(marked);
  const extent = joinedSpans(
    [listed, duplicates?.everySeries].filter((span) => span !== undefined),
    Number.POSITIVE_INFINITY,
  )[0] as Span;
  return planWithout(extent, { ...request, timeframe, isPure });
}

/**
 * Returns the windows with duplicates that the plan of a timeframe needs. If pure levels serve, only those with
 * duplicates since the second level's frontier, and those for which the levels are not pure.
 */
export function duplicateWindowsNeeded(
  request: PlanRequest,
): readonly Omit<DuplicateWindowsRequest, "filter">[] {
  const { levels, horizon, buckets } = request;
  const timeframe = clamped(request);
  const spans = regions(timeframe, levels, buckets);
  const [coarse, ...others] = coarseSpans(spans);
  const pureSinceMs = horizon.coarsePureSinceMs ?? Number.POSITIVE_INFINITY;
  // If finer windows serve between coarse ones, one read of all is cheaper than many small ones.
  if (!coarse || others.length > 0 || pureSinceMs === Number.POSITIVE_INFINITY) {
    return spans.length > 0 ? [{ sinceMs: timeframe.sinceMs, toMs: timeframe.toMs }] : [];
  }
  const fine = spans
    .filter(({ serving }) => serving === 0)
    .map(({ sinceMs, toMs }): Omit<DuplicateWindowsRequest, "filter"> => ({ sinceMs, toMs }));
  const relevant = { sinceMs: horizon.frontiersMs[1] as number, beforeMs: pureSinceMs };
  return [...fine, { ...coarse, relevant }];
}

/** Whether the levels above the finest count no reading twice because of these duplicates. */
export function isCoarsePure(horizon: StoreHorizon, duplicates: DuplicateWindowsFound | undefined): boolean {
  const { coarsePureSinceMs = Number.POSITIVE_INFINITY } = horizon;
  const frontierMs = horizon.frontiersMs[0] as number;
  const isPureFor = (firstDuplicateMs: number): boolean =>
    firstDuplicateMs >= coarsePureSinceMs || firstDuplicateMs >= frontierMs;
  return (
    coarsePureSinceMs < Number.POSITIVE_INFINITY &&
    (duplicates?.windows.every(({ firstDuplicateMs }) => isPureFor(firstDuplicateMs)) ?? true) &&
    (duplicates?.everySeries === undefined || isPureFor(duplicates.everySeries.firstDuplicateMs))
  );
}

/** Maximum number that is planned one by one before all spans of a series become one. */
const rowsWidenedMax = 10_000;

/**
 * Plans the marked windows, in increasingly wide spans until the plan is small enough: first with close ones merged,
 * then with one span a series, then with the same span for all marked series, and finally without spans that are left
 * out anyway because raw readings have expired. Returns undefined if there is no small enough plan.
 */
function planMarked(request: Parameters<typeof planDuplicates>[0]): PlannedDuplicates | undefined {
  const { marked, levels, horizon } = request;
  const { rawKeptSinceMs } = horizon;
  const planned = planDuplicates(request);
  if (planned) return planned;
  const rows = marked.reduce((sum, { windows }) => sum + windows.length, 0);
  const gaps = rows > rowsWidenedMax ? [] : [0, ...levels.map(({ windowMs }) => windowMs)];
  for (const gapMs of [...gaps, Number.POSITIVE_INFINITY]) {
    const wider = planDuplicates({ ...request, marked: widenMarked(marked, { gapMs, rawKeptSinceMs }) });
    if (wider) return wider;
  }
  return (
    planDuplicates({ ...request, marked: asOneSpan(marked, rawKeptSinceMs) }) ??
    planDuplicates({ ...request, marked: asOneSpan(marked, Number.NEGATIVE_INFINITY) })
  );
}

/**
 * Plans a read without partials that any series' duplicates in `extent` may affect. Pure levels still serve: only the
 * part that they have not folded comes from raw readings instead of the finest level. Otherwise raw readings serve.
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

/** Returns the spans that a level above the finest serves; in order, with touching ones merged. */
function coarseSpans(spans: readonly ServedSpan[]): readonly Span[] {
  return joinedSpans(spans.filter(({ serving }) => serving > 0));
}

type KeptSpans = { readonly spans: readonly ServedSpan[]; readonly notCovered: readonly Span[] };

/** Returns the parts of the spans that their serving levels still keep, and the expired ones. */
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

/** Returns the scans of the spans for all series, with the different reads. */
function planOf(
  { spans, notCovered }: KeptSpans,
  duplicates: PlannedDuplicates,
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
    plan: { levels: levelScans, raw: rawScans, ...(duplicates.plan && { duplicates: duplicates.plan }) },
    notCovered: joinedSpans([...notCovered, ...duplicates.notCovered]),
  };
}

function clamped({ sinceMs, toMs }: Span): Span {
  return { sinceMs: Math.max(sinceMs, allTime.sinceMs), toMs: Math.min(toMs, allTime.toMs) };
}

/** Adds a scan to a list in order of time; one that continues the last is merged with it. */
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
