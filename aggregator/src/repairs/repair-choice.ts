import type { SensorName } from "@devicemesh/proto";

/** A window of a series that has duplicates. Times are ms since 1970. */
export type DuplicateWindow = {
  readonly deviceId: string;
  readonly sensor: SensorName;
  readonly windowMs: number;
  /** The arrivals of the first and the last known duplicate, by the log's clock. */
  readonly firstDuplicateMs: number;
  readonly lastDuplicateMs: number;
  /** The frontier at which it was last repaired; undefined if it never was. */
  readonly repairedThroughMs: number | undefined;
};

/** Adjacent windows of one series: [sinceMs, toMs). */
export type RepairSpan = {
  readonly deviceId: string;
  readonly sensor: SensorName;
  readonly sinceMs: number;
  readonly toMs: number;
};

/** The conditions and limits of repairs. */
export type RepairLimits = {
  /** The frontier of the finest level, at which the repairs are made. */
  readonly frontierMs: number;
  /** Raw readings of windows that start earlier may be deleted: such a window is not repaired any more. */
  readonly rawKeptSinceMs: number;
  /** The size of the finest windows. */
  readonly windowMs: number;
  readonly windowsMax: number;
  /** The longest span, in windows: one span is one request to the database. */
  readonly spanWindowsMax: number;
};

/**
 * Whether a repair at the frontier would let queries use the window again: it has duplicates that no repair covers, all
 * of them arrived before the frontier, and its raw readings exist.
 */
export function needsRepair(
  window: DuplicateWindow,
  { frontierMs, rawKeptSinceMs }: Pick<RepairLimits, "frontierMs" | "rawKeptSinceMs">,
): boolean {
  const { firstDuplicateMs, lastDuplicateMs, repairedThroughMs, windowMs } = window;
  return (
    firstDuplicateMs < frontierMs &&
    lastDuplicateMs < frontierMs &&
    windowMs >= rawKeptSinceMs &&
    (repairedThroughMs === undefined || lastDuplicateMs >= repairedThroughMs)
  );
}

/**
 * Chooses the windows to repair now, as spans, at most `windowsMax` in all. Windows with the oldest last duplicate come
 * first, because others are more likely to receive another one.
 */
export function chooseRepairs(windows: readonly DuplicateWindow[], limits: RepairLimits): RepairSpan[] {
  const chosen = windows
    .filter((window) => needsRepair(window, limits))
    .sort((a, b) => a.lastDuplicateMs - b.lastDuplicateMs)
    .slice(0, limits.windowsMax);
  return spansOf(chosen, limits);
}

function spansOf(windows: readonly DuplicateWindow[], limits: RepairLimits): RepairSpan[] {
  const spans: RepairSpan[] = [];
  for (const series of Map.groupBy(windows, ({ deviceId, sensor }) => `${deviceId}|${sensor}`).values()) {
    const starts = [...new Set(series.map(({ windowMs }) => windowMs))].sort((a, b) => a - b);
    const [{ deviceId, sensor }] = series as [DuplicateWindow];
    let sinceMs = starts[0] as number;
    for (const [place, startMs] of starts.entries()) {
      const toMs = startMs + limits.windowMs;
      const isFull = toMs - sinceMs >= limits.spanWindowsMax * limits.windowMs;
      if (!isFull && starts[place + 1] === toMs) continue;
      spans.push({ deviceId, sensor, sinceMs, toMs });
      sinceMs = starts[place + 1] ?? toMs;
    }
  }
  return spans;
}
