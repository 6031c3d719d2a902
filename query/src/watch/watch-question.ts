import { createHash } from "node:crypto";
import type { WatchAggregatesRequest } from "@devicemesh/proto/es/devicemesh/v1/query_service_pb.ts";
import { groupingOf } from "../answer/aggregate-rows.ts";
import { type BucketGrid, fixedGrid } from "../calendar/bucket-grid.ts";
import { requestedBucketSize } from "../plan/bucket-size.ts";
import type { Grouping } from "../plan/merge.ts";
import { compareNames } from "../plan/series-order.ts";
import type { SeriesFilter } from "../store/reading-store.ts";

/** Default number of the last buckets that are watched. */
const defaultLastBuckets = 30;

/** The query of a watch, in a form that is equal for all equivalent requests. */
export type WatchQuestion = {
  /** Equal for equal queries only. */
  readonly key: string;
  readonly filter: SeriesFilter;
  readonly grouping: Grouping;
  readonly bucketMs: number;
  /** The buckets of this size. */
  readonly buckets: BucketGrid;
  readonly lastBuckets: number;
};

/**
 * Returns the query of a request; `windowMs` is the size of the store's finest windows.
 * @throws RpcError INVALID_ARGUMENT if the bucket is not a multiple of the window.
 */
export function watchQuestionOf(
  request: Pick<WatchAggregatesRequest, "deviceIds" | "sensors" | "groupBy" | "bucket" | "lastBuckets">,
  windowMs: number,
): WatchQuestion {
  const filter = { deviceIds: namesOf(request.deviceIds), sensors: namesOf(request.sensors) };
  const grouping = groupingOf(request.groupBy);
  const bucketMs = request.bucket ? requestedBucketSize(request.bucket, windowMs) : windowMs;
  const lastBuckets = request.lastBuckets || defaultLastBuckets;
  const text = JSON.stringify([filter.deviceIds, filter.sensors, grouping, bucketMs, lastBuckets]);
  // A thousand names are 128 KB, too much to keep for each of a thousand queries.
  const key = createHash("sha256").update(text).digest("base64");
  return { key, filter, grouping, bucketMs, buckets: fixedGrid(bucketMs), lastBuckets };
}

/** Sorted, each once: a filter is a set. */
function namesOf(names: readonly string[]): readonly string[] {
  return [...new Set(names)].sort(compareNames);
}
