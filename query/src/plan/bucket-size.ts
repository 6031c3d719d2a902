import { invalidArgument } from "@devicemesh/kit/rpc/rpc-error";
import type { ProtoTimestamp } from "@devicemesh/proto";
import { countBuckets, fixedGrid } from "../calendar/bucket-grid.ts";
import type { Span } from "./spans.ts";

const [secondMs, minuteMs, hourMs, dayMs] = [1000, 60_000, 3_600_000, 86_400_000];

/**
 * The round sizes that the server chooses from, in ms; beyond the last one it is doubled, up to `longestMs`. None is of
 * whole weeks: these would have to start on a Monday, like months on the first, for which there are calendar buckets.
 */
export const roundBucketSizesMs: readonly number[] = [
  ...[10, 20, 30].map((count) => count * secondMs),
  ...[1, 2, 5, 10, 15, 20, 30].map((count) => count * minuteMs),
  ...[1, 2, 3, 6, 12].map((count) => count * hourMs),
  ...[1, 10, 100, 1000, 10_000, 100_000].flatMap((tens) => [1, 2, 5].map((count) => count * tens * dayMs)),
];

/** The longest bucket: 10,000 years, the maximum of a Duration. From 1970 on, it contains all timestamps. */
const longestMs = 315_576_000_000_000;

/** Returns the smallest round size, a multiple of windowMs, of which at most `pointsMax` buckets touch the span. */
export function pickBucketSize(options: {
  readonly span: Span;
  readonly pointsMax: number;
  readonly windowMs: number;
  /** The origin of buckets; 1970 by default. */
  readonly originMs?: number | undefined;
}): number {
  const { span, pointsMax, windowMs, originMs } = options;
  const bucketsOf = (sizeMs: number): number => countBuckets(fixedGrid(sizeMs, originMs), span);
  const sizes = roundBucketSizesMs.filter((sizeMs) => sizeMs % windowMs === 0);
  const fitting = sizes.find((sizeMs) => bucketsOf(sizeMs) <= pointsMax);
  if (fitting !== undefined) return fitting;
  let sizeMs = sizes.at(-1) ?? windowMs;
  while (bucketsOf(sizeMs) > pointsMax && sizeMs < longestMs) sizeMs = Math.min(sizeMs * 2, longestMs);
  return sizeMs;
}

/**
 * Returns the requested size in ms.
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

/**
 * Returns the requested origin in ms since 1970.
 * @throws RpcError INVALID_ARGUMENT on `origin` if windows are not aligned to it.
 */
export function requestedOrigin(origin: ProtoTimestamp, windowMs: number): number {
  const ms = Number(origin.seconds) * 1000 + origin.nanos / 1e6;
  if (ms % windowMs === 0) return ms;
  throw invalidArgument({
    field: "origin",
    description: `must be a multiple of the window size, ${windowMs / 1000} s, since 1970`,
    reason: "ORIGIN_NOT_OF_WINDOWS",
  });
}
