import { alignDown } from "@devicemesh/proto";

/**
 * Whether Spark is about to close the segment that ended last: its watermark is within that segment. Further behind,
 * it works off a backlog, and nothing waits for a single batch.
 */
export function isSegmentDue(options: {
  /** The log's clock, without the skew of the brokers' clocks, ms since 1970. */
  readonly logMs: number;
  readonly watermarkMs: number | undefined;
  readonly segmentMs: number;
}): boolean {
  const { logMs, watermarkMs, segmentMs } = options;
  const endMs = alignDown(logMs, segmentMs);
  return watermarkMs !== undefined && watermarkMs < endMs && watermarkMs >= endMs - segmentMs;
}
