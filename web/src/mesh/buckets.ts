import { durationMs, timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { Bucket, Coverage, GroupBy } from "@devicemesh/proto/es/devicemesh/v1/aggregate_pb.ts";
import {
  Fill as FillMode,
  type OutsideReadings,
  CalendarUnit as ProtoUnit,
} from "@devicemesh/proto/es/devicemesh/v1/query_service_pb.ts";
import { type CalendarUnit, calendarUnits } from "../state/bucket.ts";
import type { Fill } from "../state/selection.ts";
import type { Bounds } from "../state/timeframe.ts";
import { query } from "./clients.ts";
import { type Lines, linesOf } from "./lines.ts";
import { type RawFigures, rawFields } from "./raw-figures.ts";

/** The query. */
export type LinesRequest = {
  readonly deviceIds: readonly string[];
  readonly sensors: readonly string[];
  readonly bounds: Bounds;
  readonly groupBy: GroupBy;
  /** A size in seconds, a maximum number of points a line, or a unit of the calendar in an IANA zone. */
  readonly resolution:
    | { readonly bucketSeconds: number }
    | { readonly maxPoints: number }
    | { readonly unit: CalendarUnit; readonly timeZone: string };
  /** What empty buckets get; nothing by default. */
  readonly fill?: Fill;
  /** Figures of each bucket that need raw readings; none by default. */
  readonly figures?: RawFigures;
};

/** Returns the fields of a request of the contract. */
export function boundsFields({ sinceMs, toMs }: Bounds): {
  since?: ReturnType<typeof timestampFromMs>;
  to?: ReturnType<typeof timestampFromMs>;
} {
  return {
    ...(sinceMs !== undefined && { since: timestampFromMs(sinceMs) }),
    ...(toMs !== undefined && { to: timestampFromMs(toMs) }),
  };
}

/** More than a chart shows; the caller rejects a finer size than this allows. */
export const bucketsMax = 20_000;

/**
 * Requests all pages of the buckets.
 * @throws ConnectError of the server; RangeError if there are more than `bucketsMax`.
 */
export async function readLines(request: LinesRequest, signal: AbortSignal): Promise<Lines> {
  const { resolution } = request;
  const fields = {
    deviceIds: [...request.deviceIds],
    sensors: [...request.sensors],
    ...boundsFields(request.bounds),
    groupBy: request.groupBy,
    resolution: resolutionOf(resolution),
    fillMode: fillModes[request.fill ?? "none"],
    ...rawFields(request.figures),
  };
  const buckets: Bucket[] = [];
  let bucketMs = 0;
  let coverage: Coverage | undefined;
  let outside: readonly OutsideReadings[] = [];
  let pageToken = "";
  do {
    const page = await query.listBuckets({ ...fields, pageToken }, { signal });
    buckets.push(...page.buckets);
    bucketMs = page.bucket
      ? durationMs(page.bucket)
      : "unit" in resolution
        ? calendarUnits[resolution.unit]
        : bucketMs;
    outside = page.outside.length > 0 ? page.outside : outside;
    coverage = page.coverage ?? coverage;
    pageToken = page.nextPageToken;
    if (buckets.length > bucketsMax) throw new RangeError("too many buckets");
  } while (pageToken !== "");
  return { lines: linesOf(buckets), bucketMs, coverage, outside };
}

function resolutionOf(resolution: LinesRequest["resolution"]) {
  if ("bucketSeconds" in resolution)
    return { case: "bucket", value: { seconds: BigInt(resolution.bucketSeconds) } } as const;
  if ("maxPoints" in resolution) return { case: "maxPoints", value: resolution.maxPoints } as const;
  const unit = protoUnits[resolution.unit];
  return { case: "calendar", value: { unit, timeZone: resolution.timeZone } } as const;
}

const fillModes = {
  none: FillMode.NONE,
  previous: FillMode.PREVIOUS,
  linear: FillMode.LINEAR,
} as const satisfies Readonly<Record<Fill, FillMode>>;

const protoUnits = {
  hour: ProtoUnit.HOUR,
  day: ProtoUnit.DAY,
  week: ProtoUnit.WEEK,
  month: ProtoUnit.MONTH,
  quarter: ProtoUnit.QUARTER,
  year: ProtoUnit.YEAR,
} as const satisfies Readonly<Record<CalendarUnit, ProtoUnit>>;
