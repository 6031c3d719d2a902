import { timestampMs } from "@bufbuild/protobuf/wkt";
import type { AggregateRow, Bucket, Coverage } from "@devicemesh/proto/es/devicemesh/v1/aggregate_pb.ts";
import type { OutsideReadings } from "@devicemesh/proto/es/devicemesh/v1/query_service_pb.ts";

/** One bucket of a line. Times are in ms since 1970, `endMs` exclusive. Without readings its figures are estimates. */
export type Point = {
  readonly startMs: number;
  readonly endMs: number;
  readonly count: number;
  readonly average: number;
  readonly minimum: number;
  readonly maximum: number;
  /** In the order of the request; undefined if none were asked for, or if they cannot be computed. */
  readonly quantiles?: readonly number[];
  /** The largest relative error of the quantiles; undefined if all are exact. */
  readonly quantileError?: number;
  /** The time-weighted average; undefined if it was not asked for, or if no value holds in the bucket. */
  readonly timeWeighted?: number;
};

/** The buckets of one series, or of one sensor over devices (then `deviceId` is empty), in order of time. */
export type Line = {
  readonly key: string;
  readonly deviceId: string;
  readonly sensor: string;
  readonly unit: string;
  readonly points: readonly Point[];
};

/** Lines with the size of their buckets (approximate for calendar buckets) and their coverage. */
export type Lines = {
  readonly lines: readonly Line[];
  readonly bucketMs: number;
  readonly coverage: Coverage | undefined;
  /** Readings too far from all others for the same chart. */
  readonly outside: readonly OutsideReadings[];
};

/** Groups buckets into lines, in their order; leaves out buckets without figures. */
export function linesOf(buckets: readonly Bucket[]): Line[] {
  const lines = new Map<string, { row: AggregateRow; points: Point[] }>();
  for (const bucket of buckets) {
    const point = pointOf(bucket);
    if (!bucket.row || !point) continue;
    const key = `${bucket.row.deviceId}|${bucket.row.sensor}`;
    const line = lines.get(key);
    if (line) line.points.push(point);
    else lines.set(key, { row: bucket.row, points: [point] });
  }
  return [...lines].map(([key, { row, points }]) => ({
    key,
    deviceId: row.deviceId,
    sensor: row.sensor,
    unit: row.unit,
    points,
  }));
}

/** Returns the figures of a bucket; undefined if it has none. */
export function pointOf({ start, end, row }: Bucket): Point | undefined {
  if (!start || !end || row?.average === undefined) return undefined;
  const { average, minimum = average, maximum = average, timeWeightedAverage } = row;
  const quantileError = Math.max(0, ...row.quantiles.map(({ relativeError }) => relativeError));
  return {
    startMs: timestampMs(start),
    endMs: timestampMs(end),
    count: Number(row.count),
    average,
    minimum,
    maximum,
    ...(row.quantiles.length > 0 && { quantiles: row.quantiles.map(({ value }) => value) }),
    ...(quantileError > 0 && { quantileError }),
    ...(timeWeightedAverage && { timeWeighted: timeWeightedAverage.value }),
  };
}
