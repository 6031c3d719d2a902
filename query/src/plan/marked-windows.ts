import type { DuplicateWindow, SeriesName } from "../store/reading-store.ts";
import type { StoreHorizon } from "../store/store-status.ts";
import { joinedSpans, type Span } from "./spans.ts";

/** Consecutive finest windows that are served alike: by their repairs of one frontier, or by raw readings. */
export type MarkedSpan = Span & { readonly repairThroughMs: number | undefined };

/**
 * A series and its windows that partials cannot serve; in order, neither adjacent nor overlapping unless served
 * differently.
 */
export type MarkedSeries = { readonly series: SeriesName; readonly windows: readonly MarkedSpan[] };

/**
 * Maximum number of marked windows of one series that are planned one by one. Beyond it, one span from the first to the
 * last represents them all, so that a series with many affects only itself.
 */
export const markedWindowsMax = 1000;

/** The windows of one series while they are collected: a list, or only its extent if the list is too long. */
type Collected = { windows: DuplicateWindow[] | undefined; sinceMs: number; toMs: number };

/**
 * Returns the windows that partials before the frontier cannot serve, and what serves them. A window whose duplicates
 * all arrived at or after the frontier is clean: its partials before it are pure. A repair serves if it was made at or
 * before the frontier in use, and after every duplicate arrived. If unknown, raw readings serve, which affects latency
 * only. One pass over the windows, whatever their number. Pure.
 *
 * Inside `recentOnly` the levels above the finest are pure. There only duplicates that arrived since the second level's
 * frontier count, and repairs are not used.
 */
export function markWindows(
  duplicates: readonly DuplicateWindow[],
  options: {
    readonly horizon: StoreHorizon;
    readonly windowMs: number;
    /** In order, neither adjacent nor overlapping. */
    readonly recentOnly?: readonly Span[] | undefined;
  },
): MarkedSeries[] {
  const { horizon, windowMs: sizeMs, recentOnly = [] } = options;
  const frontierMs = horizon.frontiersMs[0] as number;
  const recentMs = horizon.frontiersMs[1] ?? 0;
  const isRecentOnly = ({ windowMs, toMs = windowMs + sizeMs }: DuplicateWindow): boolean =>
    recentOnly.some((span) => windowMs >= span.sinceMs && toMs <= span.toMs);
  const byDevice = new Map<string, Map<string, { readonly kept: Collected; readonly expired: Collected }>>();
  for (const window of duplicates) {
    if (window.firstDuplicateMs >= frontierMs) continue;
    if (window.lastDuplicateMs < recentMs && isRecentOnly(window)) continue;
    let ofDevice = byDevice.get(window.deviceId);
    if (!ofDevice) {
      ofDevice = new Map();
      byDevice.set(window.deviceId, ofDevice);
    }
    let ofSeries = ofDevice.get(window.sensor);
    if (!ofSeries) {
      ofSeries = { kept: nothing(), expired: nothing() };
      ofDevice.set(window.sensor, ofSeries);
    }
    for (const part of partsAt(window, horizon.rawKeptSinceMs)) {
      collect(part.windowMs < horizon.rawKeptSinceMs ? ofSeries.expired : ofSeries.kept, part, sizeMs);
    }
  }
  const throughOf = (window: DuplicateWindow): number | undefined =>
    isRecentOnly(window) ? undefined : usableRepair(window, frontierMs);
  return [...byDevice].flatMap(([deviceId, bySensor]) =>
    [...bySensor].map(([sensor, { expired, kept }]) => ({
      series: { deviceId, sensor },
      windows: [...inRows(expired, sizeMs, throughOf), ...inRows(kept, sizeMs, throughOf)],
    })),
  );
}

/**
 * Merges spans that are at most `gapMs` apart, including the time between them, into spans of raw readings where these
 * are kept. Just as exact, and slower. Pure.
 */
export function widenMarked(
  marked: readonly MarkedSeries[],
  { gapMs, rawKeptSinceMs }: { readonly gapMs: number; readonly rawKeptSinceMs: number },
): MarkedSeries[] {
  return marked.map(({ series, windows }) => {
    const expired = windows.filter(({ sinceMs }) => sinceMs < rawKeptSinceMs);
    const kept = windows.filter(({ sinceMs }) => sinceMs >= rawKeptSinceMs);
    const wide = joinedSpans(kept, gapMs).map((span) => ({ ...span, repairThroughMs: undefined }));
    return { series, windows: [...expired, ...wide] };
  });
}

/**
 * Returns one span for all windows that start at or after `sinceMs`, from the first window of any series to the last:
 * all series have equal marks there. Just as exact, and slower. Pure.
 */
export function asOneSpan(marked: readonly MarkedSeries[], sinceMs: number): MarkedSeries[] {
  const isBefore = (window: MarkedSpan): boolean => window.sinceMs < sinceMs;
  const extent = extentOf(
    marked.map(({ series, windows }) => ({ series, windows: windows.filter((window) => !isBefore(window)) })),
  );
  const all = extent ? [{ ...extent, repairThroughMs: undefined }] : [];
  return marked.map(({ series, windows }) => ({ series, windows: [...windows.filter(isBefore), ...all] }));
}

/** Returns the span from the first marked window to the last; undefined if there is none. Pure. */
export function extentOf(marked: readonly MarkedSeries[]): Span | undefined {
  let [sinceMs, toMs] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const { windows } of marked) {
    sinceMs = Math.min(sinceMs, windows[0]?.sinceMs ?? sinceMs);
    toMs = Math.max(toMs, windows.at(-1)?.toMs ?? toMs);
  }
  return sinceMs < toMs ? { sinceMs, toMs } : undefined;
}

/** Splits a span of windows where its retention begins. */
function partsAt(window: DuplicateWindow, keptSinceMs: number): readonly DuplicateWindow[] {
  const isCut = window.toMs !== undefined && window.windowMs < keptSinceMs && window.toMs > keptSinceMs;
  return isCut
    ? [
        { ...window, toMs: keptSinceMs },
        { ...window, windowMs: keptSinceMs },
      ]
    : [window];
}

function nothing(): Collected {
  return { windows: [], sinceMs: Number.POSITIVE_INFINITY, toMs: Number.NEGATIVE_INFINITY };
}

function collect(collected: Collected, window: DuplicateWindow, sizeMs: number): void {
  const { windowMs, toMs = windowMs + sizeMs } = window;
  if (windowMs < collected.sinceMs) collected.sinceMs = windowMs;
  if (toMs > collected.toMs) collected.toMs = toMs;
  collected.windows?.push(window);
  if (collected.windows && collected.windows.length > markedWindowsMax) collected.windows = undefined;
}

function inRows(
  { windows, ...extent }: Collected,
  sizeMs: number,
  throughOf: (window: DuplicateWindow) => number | undefined,
): MarkedSpan[] {
  if (!windows) return [{ ...extent, repairThroughMs: undefined }];
  const rows: MarkedSpan[] = [];
  for (const window of windows.toSorted((a, b) => a.windowMs - b.windowMs)) {
    const { windowMs: sinceMs, toMs = sinceMs + sizeMs } = window;
    const repairThroughMs = window.toMs === undefined ? throughOf(window) : undefined;
    const last = rows.at(-1);
    if (last && last.toMs > sinceMs) {
      rows[rows.length - 1] = { ...last, toMs: Math.max(last.toMs, toMs), repairThroughMs: undefined };
    } else if (last?.toMs === sinceMs && last.repairThroughMs === repairThroughMs) {
      rows[rows.length - 1] = { ...last, toMs };
    } else rows.push({ sinceMs, toMs, repairThroughMs });
  }
  return rows;
}

function usableRepair(window: DuplicateWindow, frontierMs: number): number | undefined {
  const { repairThroughMs, lastDuplicateMs } = window;
  const isUsable =
    repairThroughMs !== undefined && repairThroughMs <= frontierMs && lastDuplicateMs < repairThroughMs;
  return isUsable ? repairThroughMs : undefined;
}
