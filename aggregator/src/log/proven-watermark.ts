import type { BatchProgress } from "../window-job/window-job-progress.ts";
import { tickLeadMs } from "./tick-times.ts";
import { createTickMemory, type Tick } from "./ticks.ts";

/** What the ticks prove of the window job's batches. */
export type WatermarkProof = {
  /** Remembers a round of ticks. */
  add(ticks: readonly Tick[]): void;
  /**
   * Returns the moment for which the batch has closed all segments that end at or before it, with all messages that
   * arrived before it, ms since 1970; undefined without a watermark. To be called once for each batch, in order.
   */
  provenMs(batch: Pick<BatchProgress, "watermarkMs" | "endOffsets">): number | undefined;
};

/**
 * Creates a proof without ticks. Spark counts ticks as later than their append time, so its watermark may be ahead of
 * what it has read, by the lead at most. Within the lead only a tick that it has read proves that nothing is missing:
 * what is missing, a later batch would drop.
 */
export function createWatermarkProof(options: {
  readonly partitions: number;
  readonly clockSkewMs: number;
  readonly leadMs?: number;
}): WatermarkProof {
  const { leadMs = tickLeadMs } = options;
  const read = createTickMemory(options);
  return {
    add: read.add,
    provenMs({ watermarkMs, endOffsets }) {
      const readMs = read.completeThroughMs(endOffsets) ?? Number.NEGATIVE_INFINITY;
      if (watermarkMs === undefined) return undefined;
      return Math.max(watermarkMs - leadMs, Math.min(watermarkMs, readMs));
    },
  };
}
