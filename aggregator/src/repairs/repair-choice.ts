import type { SensorName } from "@devicemesh/proto";

/** A window of a series in which a reading was repeated. Times are ms since 1970. */
export type RepeatedWindow = {
  readonly deviceId: string;
  readonly sensor: SensorName;
  readonly windowMs: number;
  /** When the first and the last repeat that is known arrived, by the log's clock. */
  readonly firstRepeatMs: number;
  readonly lastRepeatMs: number;
  /** The frontier at which it was last repaired; undefined if it never was. */
  readonly repairedThroughMs: number | undefined;
};

/** Windows of one series that follow each other: [sinceMs, toMs). */
export type RepairSpan = {
  readonly deviceId: string;
  readonly sensor: SensorName;
  readonly sinceMs: number;
  readonly toMs: number;
};

/** What may be repaired, and how much of it at a time. */
export type RepairLimits = {
  /** The frontier of the finest level: the repairs are made at it. */
  readonly frontierMs: number;
  /** Raw readings of windows that start earlier may be gone: such a window is not repaired any more. */
  readonly rawKeptSinceMs: number;
  /** The size of the finest windows. */
  readonly windowMs: number;
  readonly windowsMax: number;
  /** The longest span, in windows: one span is one question to the database. */
  readonly spanWindowsMax: number;
};

/**
 * Whether a repair at the frontier makes the window quick again: it has repeats that no repair covers, all of
 * which arrived before the frontier, and its raw readings are there.
 */
export function needsRepair(
  window: RepeatedWindow,
  { frontierMs, rawKeptSinceMs }: Pick<RepairLimits, "frontierMs" | "rawKeptSinceMs">,
): boolean {
  const { firstRepeatMs, lastRepeatMs, repairedThroughMs, windowMs } = window;
  return (
    firstRepeatMs < frontierMs &&
    lastRepeatMs < frontierMs &&
    windowMs >= rawKeptSinceMs &&
    (repairedThroughMs === undefined || lastRepeatMs >= repairedThroughMs)
  );
}

/**
 * Which windows to repair now, as spans: those whose last repeat is oldest first, at most `windowsMax` in all.
 * So those that have been quiet for longest go before those to which another repeat is likely to come.
 */
export function chooseRepairs(windows: readonly RepeatedWindow[], limits: RepairLimits): RepairSpan[] {
  const chosen = windows
    .filter((window) => needsRepair(window, limits))
    .sort((a, b) => a.lastRepeatMs - b.lastRepeatMs)
    .slice(0, limits.windowsMax);
  return spansOf(chosen, limits);
}

function spansOf(windows: readonly RepeatedWindow[], limits: RepairLimits): RepairSpan[] {
  const spans: RepairSpan[] = [];
  for (const series of Map.groupBy(windows, ({ deviceId, sensor }) => `${deviceId}|${sensor}`).values()) {
    const starts = [...new Set(series.map(({ windowMs }) => windowMs))].sort((a, b) => a - b);
    const [{ deviceId, sensor }] = series as [RepeatedWindow];
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
