import { resourceExhausted } from "@devicemesh/kit/rpc/rpc-error";
import {
  type CalendarBucket,
  CalendarUnit as CalendarUnits,
  type ListBucketsRequest,
} from "@devicemesh/proto/es/devicemesh/v1/query_service_pb.ts";
import { type BucketGrid, countBuckets, fixedGrid } from "../calendar/bucket-grid.ts";
import { type CalendarUnit, calendarGrid, estimateBuckets } from "../calendar/calendar-grid.ts";
import { timeZoneNamed } from "../calendar/zone-offsets.ts";
import { pickBucketSize, requestedBucketSize, requestedOrigin } from "../plan/bucket-size.ts";
import type { Span } from "../plan/spans.ts";
import { seriesBucketsMax } from "./aggregate-rows.ts";

/** The default resolution. */
const defaultPointsMax = 300;

/** The requested form of the buckets. Sizes and origins in ms. */
export type BucketSizing =
  | { readonly kind: "calendar"; readonly unit: CalendarUnit; readonly zone: string }
  | { readonly kind: "fixed"; readonly sizeMs: number; readonly originMs: number | undefined }
  | {
      readonly kind: "points";
      readonly pointsMax: number;
      readonly windowMs: number;
      readonly originMs: number | undefined;
    };

/**
 * Returns the form that a request asks for.
 * @throws RpcError INVALID_ARGUMENT on `bucket`, `origin` or `calendar`.
 */
export function sizingOf(
  { resolution, origin }: Pick<ListBucketsRequest, "resolution" | "origin">,
  windowMs: number,
): BucketSizing {
  const originMs = origin && requestedOrigin(origin, windowMs);
  switch (resolution.case) {
    case "calendar":
      return calendarSizing(resolution.value);
    case "bucket":
      return { kind: "fixed", sizeMs: requestedBucketSize(resolution.value, windowMs), originMs };
    default:
      return { kind: "points", pointsMax: resolution.value ?? defaultPointsMax, windowMs, originMs };
  }
}

/**
 * Returns the calendar of a request.
 * @throws RpcError INVALID_ARGUMENT on `calendar.time_zone` if there is no such zone.
 */
export function calendarSizing({ unit, timeZone }: Pick<CalendarBucket, "unit" | "timeZone">) {
  return { kind: "calendar", unit: unitOf(unit), zone: timeZoneNamed(timeZone) } as const;
}

/**
 * Returns the buckets of a span: calendar buckets, or of one size; `picked` is the size that was chosen before.
 * @throws RpcError RESOURCE_EXHAUSTED if there are more than `seriesBucketsMax`.
 */
export function gridOf(sizing: BucketSizing, span: Span, picked?: number): BucketGrid {
  if (sizing.kind === "calendar") {
    checkCount(estimateBuckets(sizing.unit, span) - 2);
    return checked(calendarGrid(sizing.unit, sizing.zone, span), span);
  }
  const sizeMs = sizing.kind === "fixed" ? sizing.sizeMs : (picked ?? pickBucketSize({ ...sizing, span }));
  return checked(fixedGrid(sizeMs, sizing.originMs), span);
}

/** Whether a span has few enough buckets to be listed, if that is known before a size is chosen. */
export function isFew(sizing: BucketSizing, span: Span): boolean {
  switch (sizing.kind) {
    case "calendar":
      return estimateBuckets(sizing.unit, span) + 2 <= seriesBucketsMax;
    case "fixed":
      return countBuckets(fixedGrid(sizing.sizeMs, sizing.originMs), span) <= seriesBucketsMax;
    case "points":
      return true;
  }
}

function checked(buckets: BucketGrid, span: Span): BucketGrid {
  checkCount(countBuckets(buckets, span));
  return buckets;
}

function checkCount(count: number): void {
  if (count <= seriesBucketsMax) return;
  throw resourceExhausted({
    subject: "buckets of a series",
    description: `there are ${count}, at most ${seriesBucketsMax} are answered: choose a larger bucket, max_points, or a shorter timeframe`,
  });
}

function unitOf(unit: CalendarUnits): CalendarUnit {
  switch (unit) {
    case CalendarUnits.HOUR:
      return "hour";
    case CalendarUnits.DAY:
      return "day";
    case CalendarUnits.WEEK:
      return "week";
    case CalendarUnits.MONTH:
      return "month";
    case CalendarUnits.QUARTER:
      return "quarter";
    case CalendarUnits.YEAR:
      return "year";
    default:
      throw new RangeError(`the request breaks the rule of the contract on calendar.unit: ${unit}`);
  }
}
