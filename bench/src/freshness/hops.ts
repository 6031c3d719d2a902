/** When each part of the chain had handled what arrived before the end of a segment, ms since 1970. */
export type SegmentHops = {
  readonly endMs: number;
  /** The batch whose watermark closes the segment: its start and its end. */
  readonly batchBegan?: number | undefined;
  readonly batchEnded?: number | undefined;
  /** The append time of the segment's last partial; undefined if it has none. */
  readonly lastPartial?: number | undefined;
  /** The sink of partials was seen past the last partial. */
  readonly sinkCommitted?: number | undefined;
  /** The frontier was seen in the database. */
  readonly published?: number | undefined;
  /** An answer stated the frontier. */
  readonly answered?: number | undefined;
};

/** The parts of the way, in order, with what they are in words. */
export const segmentParts = [
  ["batchBegan", "the batch that closes it begins"],
  ["batchEnded", "that batch is committed"],
  ["lastPartial", "its last partial is in Kafka"],
  ["sinkCommitted", "the sink has committed its partials"],
  ["published", "the frontier is in the database"],
  ["answered", "an answer states the frontier"],
] as const satisfies readonly (readonly [keyof SegmentHops, string])[];

/** A batch of the window job. Times are ms since 1970. */
export type TimedBatch = {
  readonly batch: number;
  readonly beganMs: number;
  readonly durationMs: number;
  readonly watermarkMs: number | undefined;
  readonly rows: number;
  /** The duration of each step, in ms, by Spark's names. */
  readonly steps: Readonly<Record<string, number>>;
};

/**
 * Reads a StreamingQueryProgress.
 * @throws SyntaxError if it is not valid.
 */
export function timedBatch(json: string): TimedBatch {
  const progress = JSON.parse(json) as {
    readonly batchId: number;
    readonly timestamp: string;
    readonly batchDuration?: number;
    readonly durationMs?: Readonly<Record<string, number>>;
    readonly eventTime?: { readonly watermark?: string };
    readonly sources?: readonly { readonly numInputRows?: number }[];
  };
  const watermarkMs = Date.parse(progress.eventTime?.watermark ?? "");
  return {
    batch: progress.batchId,
    beganMs: Date.parse(progress.timestamp),
    durationMs: progress.batchDuration ?? 0,
    watermarkMs: Number.isNaN(watermarkMs) ? undefined : watermarkMs,
    rows: (progress.sources ?? []).reduce((sum, { numInputRows = 0 }) => sum + numInputRows, 0),
    steps: progress.durationMs ?? {},
  };
}

/** The first moment at which something was seen to have reached a value, ms since 1970. */
export type Reached = readonly { readonly atMs: number; readonly value: number }[];

/** Returns when `value` was reached; undefined if it was not. */
export function reachedAt(seen: Reached, value: number): number | undefined {
  return seen.find((one) => one.value >= value)?.atMs;
}

/** The partials of a segment in their topic. */
export type SegmentPartials = {
  /** The append time of the last one, ms since 1970. */
  readonly appendedMs: number;
  /** The offset after the last one, by partition. */
  readonly ends: ReadonlyMap<number, number>;
};

/** The offsets that the sink of partials had committed, by partition, and when that was seen. */
export type SeenOffsets = { readonly atMs: number; readonly value: ReadonlyMap<number, number> };

/** Combines what was observed, for the segments that end in [sinceMs, toMs). */
export function segmentHops(observed: {
  readonly sinceMs: number;
  readonly toMs: number;
  readonly segmentMs: number;
  readonly batches: readonly TimedBatch[];
  /** By the end of the segment. */
  readonly partials: ReadonlyMap<number, SegmentPartials>;
  readonly committed: readonly SeenOffsets[];
  readonly published: Reached;
  readonly answered: Reached;
}): SegmentHops[] {
  const { sinceMs, toMs, segmentMs, batches, committed, published, answered } = observed;
  const hops: SegmentHops[] = [];
  for (let endMs = Math.ceil(sinceMs / segmentMs) * segmentMs; endMs < toMs; endMs += segmentMs) {
    const closing = batches.find(({ watermarkMs = 0 }) => watermarkMs >= endMs);
    const partials = observed.partials.get(endMs);
    hops.push({
      endMs,
      batchBegan: closing?.beganMs,
      batchEnded: closing && closing.beganMs + closing.durationMs,
      lastPartial: partials?.appendedMs,
      sinkCommitted: partials && committedAt(committed, partials),
      published: reachedAt(published, endMs),
      answered: reachedAt(answered, endMs),
    });
  }
  return hops;
}

function committedAt(committed: readonly SeenOffsets[], { ends }: SegmentPartials): number | undefined {
  const isPast = ({ value }: SeenOffsets): boolean =>
    [...ends].every(([partition, end]) => (value.get(partition) ?? 0) >= end);
  return committed.find(isPast)?.atMs;
}
