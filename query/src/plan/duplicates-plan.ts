import { alignDown, alignUp, type Level } from "@devicemesh/proto";
import type {
  DuplicatesPlan,
  RepairScan,
  Scan,
  SeriesName,
  SeriesScan,
  SeriesSpan,
} from "../store/reading-store.ts";
import type { StoreHorizon } from "../store/store-status.ts";
import type { MarkedSeries, MarkedSpan } from "./marked-windows.ts";
import type { ServedSpan } from "./spans.ts";
import { clippedTo, joinedSpans, type Span, without } from "./spans.ts";

/** The different reads because of marked windows, and the spans of their series that can no longer be answered. */
export type PlannedDuplicates = {
  /** Undefined if there are no different reads. */
  readonly plan: DuplicatesPlan | undefined;
  /** Of some series only; in any order. */
  readonly notCovered: readonly Span[];
};

/**
 * Plans the marked windows in spans that are served by levels. If the coarse levels are pure, only the reads of the
 * finest level differ: a marked window is read from raw readings of the time that the finest level would serve.
 * Otherwise a time of a series is served by the coarsest level, up to the span's, whose window around it contains no
 * marked window; a marked window is served by its repair and later arrivals, or by raw readings. Series with equal
 * marks share their scans. Returns undefined as soon as the plan has more than `sizeMax` spans and scans. Pure.
 */
export function planDuplicates(request: {
  readonly spans: readonly ServedSpan[];
  readonly marked: readonly MarkedSeries[];
  readonly levels: readonly Level[];
  readonly horizon: StoreHorizon;
  readonly isCoarsePure: boolean;
  readonly sizeMax: number;
}): PlannedDuplicates | undefined {
  const { spans, marked, levels, horizon, isCoarsePure, sizeMax } = request;
  const { frontiersMs, levelsKeptSinceMs, rawKeptSinceMs } = horizon;
  const frontierMs = frontiersMs[0] as number;
  const size = { current: 0 };
  const exceptLevels = levels.map(() => createShared<SeriesSpan>(size));
  const exceptRaw = createShared<SeriesSpan>(size);
  const levelScans = levels.map(() => createShared<SeriesScan>(size));
  const rawScans = createShared<SeriesScan>(size);
  const repairScans = createShared<RepairScan>(size);
  const notCovered: Span[] = [];

  /** Leaves out a span of a series completely; levels above `level` already leave it out. */
  function leaveOut(series: SeriesName, span: Span, level: number): void {
    notCovered.push(span);
    for (let below = level; below >= 0; below--) exceptLevels[below]?.add(series, span);
    exceptRaw.add(series, span);
  }

  /** Returns the part of a span that is kept since this time; the rest is left out. */
  function kept(series: SeriesName, span: Span, keptSinceMs: number, level: number): Span | undefined {
    const sinceMs = Math.min(Math.max(span.sinceMs, keptSinceMs), span.toMs);
    if (span.sinceMs < sinceMs) leaveOut(series, { sinceMs: span.sinceMs, toMs: sinceMs }, level);
    return sinceMs < span.toMs ? { sinceMs, toMs: span.toMs } : undefined;
  }

  function addMarked(series: SeriesName, { repairThroughMs, ...span }: MarkedSpan): void {
    if (repairThroughMs === undefined) {
      const raw = kept(series, span, rawKeptSinceMs, -1);
      if (raw) rawScans.add(series, before(raw, frontierMs));
      return;
    }
    const repaired = kept(series, span, levelsKeptSinceMs[0] as number, -1);
    if (!repaired) return;
    repairScans.add(series, { ...repaired, throughMs: repairThroughMs });
    if (repairThroughMs >= frontierMs) return;
    levelScans[0]?.add(series, { ...repaired, arrivedSinceMs: repairThroughMs, arrivedToMs: frontierMs });
  }

  /**
   * The marked windows of a span whose serving level is pure: the finest level's part of them is read from raw
   * readings.
   */
  function addRecent(series: SeriesName, windows: readonly MarkedSpan[], span: ServedSpan): void {
    // A frontier of 0 means that nothing is folded.
    const arrivedSinceMs = (frontiersMs[1] as number) || Number.NEGATIVE_INFINITY;
    if (arrivedSinceMs >= frontierMs) return;
    const { windowMs } = levels[span.serving] as Level;
    const expired = joinedSpans(
      windows
        .filter(({ sinceMs }) => sinceMs < rawKeptSinceMs)
        .map(({ sinceMs, toMs }) => ({
          sinceMs: Math.max(alignDown(sinceMs, windowMs), span.sinceMs),
          toMs: Math.min(alignUp(Math.min(toMs, rawKeptSinceMs), windowMs), span.toMs),
        })),
    );
    for (const each of expired) leaveOut(series, each, span.serving);
    for (const each of without(joinedSpans(windows), expired)) {
      exceptLevels[0]?.add(series, each);
      rawScans.add(series, { ...each, arrivedSinceMs, arrivedToMs: frontierMs });
    }
  }

  function addFiner(series: SeriesName, inside: readonly MarkedSpan[], span: ServedSpan): void {
    for (const window of inside) addMarked(series, window);
    let touched = joinedSpans(inside);
    for (const each of touched) exceptLevels[0]?.add(series, each);
    for (let level = 1; level <= span.serving; level++) {
      const levelFrontierMs = frontiersMs[level] as number;
      const { windowMs } = levels[level] as Level;
      const wider = joinedSpans(
        touched.map(({ sinceMs, toMs }) => ({
          sinceMs: alignDown(sinceMs, windowMs),
          toMs: alignUp(toMs, windowMs),
        })),
      );
      if (levelFrontierMs > 0) for (const each of wider) exceptLevels[level]?.add(series, each);
      for (const gap of without(wider, touched)) {
        const served = kept(series, gap, levelsKeptSinceMs[level - 1] as number, level - 1);
        // A frontier of 0 means that nothing is folded: then the plan's own scans include everything.
        if (served && levelFrontierMs > 0)
          levelScans[level - 1]?.add(series, before(served, levelFrontierMs));
      }
      touched = wider;
    }
  }

  for (const { series, windows } of marked) {
    for (const span of spans) {
      if (span.serving < 0) continue;
      const inside = clippedTo(windows, span);
      if (inside.length === 0) continue;
      if (isCoarsePure && span.serving > 0) addRecent(series, inside, span);
      else addFiner(series, inside, span);
      if (size.current > sizeMax) return undefined;
    }
  }

  const plan: DuplicatesPlan = {
    except: { levels: exceptLevels.map((shared) => shared.all()), raw: exceptRaw.all() },
    levels: levelScans.map((shared) => shared.all()),
    raw: rawScans.all(),
    repairs: repairScans.all(),
  };
  return { plan: size.current > 0 ? plan : undefined, notCovered };
}

function before(span: Span, arrivedToMs: number): Scan {
  return { ...span, arrivedSinceMs: Number.NEGATIVE_INFINITY, arrivedToMs };
}

/** Collects scans (or spans) of series: equal ones become one of several series. `size` counts different ones. */
function createShared<Shared extends { readonly series: readonly SeriesName[] }>(size: { current: number }) {
  const byBounds = new Map<
    string,
    { readonly bounds: Omit<Shared, "series">; readonly series: SeriesName[] }
  >();
  return {
    add(series: SeriesName, bounds: Omit<Shared, "series">): void {
      const key = Object.values(bounds).join("|");
      const known = byBounds.get(key);
      if (known) {
        known.series.push(series);
        return;
      }
      byBounds.set(key, { bounds, series: [series] });
      size.current++;
    },
    all(): Shared[] {
      return [...byBounds.values()].map(({ bounds, series }) => ({ ...bounds, series }) as unknown as Shared);
    },
  };
}
