import { invalidArgument } from "@devicemesh/kit/rpc/rpc-error";
import { alignDown, type ProtoTimestamp } from "@devicemesh/proto";
import type { Span } from "./planner.ts";

const [secondMs, minuteMs, hourMs, dayMs] = [1000, 60_000, 3_600_000, 86_400_000];

/** The sizes that people find round, in ms; beyond the last one it is doubled, up to `longestMs`. */
export const roundBucketSizesMs: readonly number[] = [
  ...[10, 20, 30].map((count) => count * secondMs),
  ...[1, 2, 5, 10, 15, 20, 30].map((count) => count * minuteMs),
  ...[1, 2, 3, 6, 12].map((count) => count * hourMs),
  ...[1, 2, 7, 14, 28].map((count) => count * dayMs),
];

/** The longest bucket: 10,000 years, the most that a Duration can tell. From 1970 on, it holds all timestamps. */
const longestMs = 315_576_000_000_000;

/** How many buckets, aligned to 1970, touch the span; 0 if it is empty. */
export function bucketsIn({ sinceMs, toMs }: Span, bucketMs: number): number {
  if (sinceMs >= toMs) return 0;
  return (alignDown(toMs - 1, bucketMs) - alignDown(sinceMs, bucketMs)) / bucketMs + 1;
}

/** The smallest round size, a multiple of windowMs, of which at most `pointsMax` buckets touch the span. */
export function pickBucketSize(options: {
  readonly span: Span;
  readonly pointsMax: number;
  readonly windowMs: number;
}): number {
  const { span, pointsMax, windowMs } = options;
  const sizes = roundBucketSizesMs.filter((sizeMs) => sizeMs % windowMs === 0);
  const fitting = sizes.find((sizeMs) => bucketsIn(span, sizeMs) <= pointsMax);
  if (fitting !== undefined) return fitting;
  let sizeMs = sizes.at(-1) ?? windowMs;
  while (bucketsIn(span, sizeMs) > pointsMax && sizeMs < longestMs) sizeMs = Math.min(sizeMs * 2, longestMs);
  return sizeMs;
}

/**
 * The size in ms that a request asks for.
 * @throws RpcError INVALID_ARGUMENT on `bucket` if it is not a multiple of the window size.
 */
export function requestedBucketSize(bucket: ProtoTimestamp, windowMs: number): number {
  const ms = Number(bucket.seconds) * 1000 + bucket.nanos / 1e6;
  if (ms > 0 && ms % windowMs === 0) return ms;
  throw invalidArgument({
    field: "bucket",
    description: `must be a multiple of the window size, ${windowMs / 1000} s`,
    reason: "BUCKET_NOT_OF_WINDOWS",
  });
}
