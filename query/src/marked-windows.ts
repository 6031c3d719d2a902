import type { SeriesName, StoreHorizon, WindowRepeats } from "./reading-store.ts";
import { joinedSpans, type Span } from "./spans.ts";

/** Finest windows in a row that are served alike: by their repairs made at one frontier, or by raw readings. */
export type MarkedSpan = Span & { readonly repairThroughMs: number | undefined };

/** A series and its windows that their partials cannot serve; in order, apart or served otherwise. */
export type MarkedSeries = { readonly series: SeriesName; readonly windows: readonly MarkedSpan[] };

/**
 * Which windows the partials before the frontier cannot serve, and what serves them. A window whose repeats all
 * arrived at or after the frontier is clean: its partials before it are pure. A repair serves if it
 * was made at the frontier in hand or before, and every repeat arrived before it was made. In doubt raw
 * readings serve: that costs speed only. Pure.
 */
export function markWindows(
  repeats: readonly WindowRepeats[],
  { horizon, windowMs }: { readonly horizon: StoreHorizon; readonly windowMs: number },
): MarkedSeries[] {
  const frontierMs = horizon.frontiersMs[0] as number;
  const polluted = repeats.filter(({ firstRepeatMs }) => firstRepeatMs < frontierMs);
  const bySeries = Map.groupBy(polluted, ({ deviceId, sensor }) => `${deviceId}|${sensor}`);
  return [...bySeries.values()].map((windows) => {
    const [{ deviceId, sensor }] = windows as [WindowRepeats];
    return { series: { deviceId, sensor }, windows: inRows(windows, frontierMs, windowMs) };
  });
}

/**
 * Makes fewer spans of them: what is at most `gapMs` apart is served by raw readings, with all between, where
 * these are kept. As exact, and slower. Pure.
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

function inRows(windows: readonly WindowRepeats[], frontierMs: number, sizeMs: number): MarkedSpan[] {
  const rows: MarkedSpan[] = [];
  for (const window of windows.toSorted((a, b) => a.windowMs - b.windowMs)) {
    const repairThroughMs = usableRepair(window, frontierMs);
    const last = rows.at(-1);
    const toMs = window.windowMs + sizeMs;
    if (last?.toMs === window.windowMs && last.repairThroughMs === repairThroughMs) {
      rows[rows.length - 1] = { ...last, toMs };
    } else rows.push({ sinceMs: window.windowMs, toMs, repairThroughMs });
  }
  return rows;
}

function usableRepair(window: WindowRepeats, frontierMs: number): number | undefined {
  const { repairThroughMs, lastRepeatMs } = window;
  const isUsable =
    repairThroughMs !== undefined && repairThroughMs <= frontierMs && lastRepeatMs < repairThroughMs;
  return isUsable ? repairThroughMs : undefined;
}
