import { parseIdentity } from "@devicemesh/pipeline";
import { alignDown } from "@devicemesh/proto";
import { tickLeadMs } from "../log/tick-times.ts";
import type { RangeCheck } from "./batch-checks.ts";

/** A record of the messages topic. */
export type LogRecord = {
  readonly partition: number;
  readonly offset: number;
  /** When the broker appended it, by its clock, ms since 1970. */
  readonly arrivedMs: number;
  /** The identity of a message; null or "tick" in a tick. */
  readonly key: string | null;
};

/** A window of a series whose partials lack messages. Times are ms since 1970. */
export type LateWindow = {
  readonly deviceId: string;
  readonly sensor: string;
  readonly windowMs: number;
  /** The latest append time of those messages. */
  readonly arrivedMs: number;
};

/** Finds the messages that Spark may have left out of their partials. */
export type LateAppends = {
  /** The windows of those among these records, which come in the order of their partition, each once. */
  windowsOf(records: readonly LogRecord[]): readonly LateWindow[];
};

/**
 * Makes one for these ranges, in order. A message is late if its segment ended at or before a watermark that its
 * batch may have had. Where the batches are known that is theirs. In a gap no watermark was ahead of all that
 * its partition had before the message by more than the lead of ticks; `newestMs` is the largest append time before
 * the gap.
 */
export function createLateAppends(options: {
  readonly ranges: readonly RangeCheck[];
  /** What arrived before is left out by the checkpoint, ms since 1970. */
  readonly sinceMs: number;
  readonly windowMs: number;
  readonly segmentMs: number;
  /** By partition; needed for gaps only. */
  readonly newestMs: ReadonlyMap<number, number>;
  /** By how much Spark counts a tick as later, in ms. */
  readonly leadMs?: number;
}): LateAppends {
  const { ranges, sinceMs, windowMs, segmentMs, leadMs = tickLeadMs } = options;
  const newestMs = new Map(options.newestMs);

  function isLate({ partition, offset, arrivedMs }: LogRecord): boolean {
    const newest = Math.max(newestMs.get(partition) ?? Number.NEGATIVE_INFINITY, arrivedMs);
    newestMs.set(partition, newest);
    const range = ranges.find(
      ({ from, to }) => offset >= (from.get(partition) ?? 0) && offset < (to.get(partition) ?? 0),
    );
    if (!range) return false;
    const watermarkMs = range.isGap ? Math.min(newest + leadMs, range.watermarkMs) : range.watermarkMs;
    return arrivedMs < sinceMs || alignDown(arrivedMs, segmentMs) + segmentMs <= watermarkMs;
  }

  return {
    windowsOf(records) {
      const found = new Map<string, LateWindow>();
      for (const record of records) {
        const identity = isLate(record) ? parseIdentity(record.key ?? "") : undefined;
        if (!identity) continue;
        const { deviceId, sensor, timestampMs } = identity;
        const startMs = alignDown(timestampMs, windowMs);
        const key = `${deviceId}|${sensor}|${startMs}`;
        const arrivedMs = Math.max(found.get(key)?.arrivedMs ?? 0, record.arrivedMs);
        found.set(key, { deviceId, sensor, windowMs: startMs, arrivedMs });
      }
      return [...found.values()];
    },
  };
}
