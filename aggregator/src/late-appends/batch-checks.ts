import { waitingChecksMax } from "../limits.ts";
import type { PartitionOffsets } from "../log/log-access.ts";
import type { BatchProgress } from "../window-job/window-job-progress.ts";

/** A range of the log in which Spark may have dropped messages. Offsets by partition. */
export type RangeCheck = {
  /** The first message of the range. */
  readonly from: PartitionOffsets;
  /** The first message after it. */
  readonly to: PartitionOffsets;
  /** No batch of the range had a later watermark, ms since 1970. */
  readonly watermarkMs: number;
  /** Whether the batches of the range are unknown: their number, and their watermarks. */
  readonly isGap: boolean;
};

/** Which messages Spark has taken without loss, or with a loss that is marked. */
export type BatchChecks = {
  /**
   * Takes the next batch that was seen. Batches in between may be missing. `provenMs` is the moment, at most its
   * watermark, before which it and those before it have read every message.
   */
  add(batch: BatchProgress, provenMs: number | undefined): void;
  /** The ranges to read, the oldest first. */
  readonly waiting: readonly RangeCheck[];
  /** The windows of the oldest `count` ranges are marked. */
  complete(count: number): void;
  /** All messages before are in partials, or their windows are marked. */
  readonly checked: PartitionOffsets;
  /**
   * What is proven of the newest checked batch whose messages the consumer with these committed offsets has
   * handled; undefined if there is none. It never goes back.
   */
  handledWatermarkMs(committed: PartitionOffsets): number | undefined;
};

type Entry = {
  readonly ranges: RangeCheck[];
  readonly ends: PartitionOffsets;
  readonly provenMs: number | undefined;
};

/**
 * Makes one that continues from `checked`. A checkpoint that folds since `sinceMs` leaves out, without a count,
 * what has an earlier append time, until its watermark is there: all batches until then are read.
 */
export function createBatchChecks(options: {
  readonly checked: PartitionOffsets;
  /** Ms since 1970; 0 for everything. */
  readonly sinceMs: number;
}): BatchChecks {
  const { sinceMs } = options;
  let reached = options.checked;
  let checked = options.checked;
  let lateWatermarkMs: number | undefined;
  let passedMs: number | undefined;
  const entries: Entry[] = [];
  let points: { readonly ends: PartitionOffsets; readonly provenMs: number }[] = [];

  function rangesOf({ startOffsets, rowsDropped, watermarkMs }: BatchProgress, ends: PartitionOffsets) {
    const from = merged(reached, startOffsets);
    const boundMs = watermarkMs ?? Number.NEGATIVE_INFINITY;
    const ranges: RangeCheck[] = [];
    if (isAfter(from, reached)) ranges.push({ from: reached, to: from, watermarkMs: boundMs, isGap: true });
    const isUncounted = sinceMs > 0 && (lateWatermarkMs ?? 0) < sinceMs;
    if (rowsDropped > 0 || isUncounted) ranges.push({ from, to: ends, watermarkMs: boundMs, isGap: false });
    return ranges;
  }

  /** Takes over what no range waits for. */
  function advance(): void {
    while (entries[0]?.ranges.length === 0) {
      const { ends, provenMs } = entries.shift() as Entry;
      checked = ends;
      if (provenMs === undefined) continue;
      points.push({ ends, provenMs });
      // Without every other one the watermark moves in larger steps, never too far.
      if (points.length > waitingChecksMax) points = points.filter((_, place) => place % 2 === 1);
    }
  }

  return {
    add(batch, provenMs) {
      // A batch that is left out here is part of the gap before the next one.
      if (entries.length >= waitingChecksMax) return;
      const ends = merged(reached, batch.endOffsets);
      entries.push({ ranges: rangesOf(batch, ends), ends, provenMs });
      reached = ends;
      lateWatermarkMs = batch.watermarkMs;
      advance();
    },
    get waiting() {
      return entries.flatMap(({ ranges }) => ranges);
    },
    complete(count) {
      let left = count;
      for (const { ranges } of entries) {
        left -= ranges.splice(0, left).length;
        if (left === 0) break;
      }
      advance();
    },
    get checked() {
      return checked;
    },
    handledWatermarkMs(committed) {
      const handled = points.findLastIndex(({ ends }) => !isAfter(ends, committed));
      if (handled >= 0) {
        passedMs = Math.max(passedMs ?? 0, points[handled]?.provenMs as number);
        points.splice(0, handled + 1);
      }
      return passedMs;
    },
  };
}

/** The later offset of each partition. */
function merged(a: PartitionOffsets, b: PartitionOffsets): PartitionOffsets {
  const later = new Map(a);
  for (const [partition, offset] of b) later.set(partition, Math.max(later.get(partition) ?? 0, offset));
  return later;
}

/** Whether some partition is further in `a` than in `b`. */
export function isAfter(a: PartitionOffsets, b: PartitionOffsets): boolean {
  return [...a].some(([partition, offset]) => offset > (b.get(partition) ?? 0));
}
