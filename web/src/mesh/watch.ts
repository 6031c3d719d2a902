import { timestampMs } from "@bufbuild/protobuf/wkt";
import type { AggregateRow, Bucket, Coverage } from "@devicemesh/proto/es/devicemesh/v1/aggregate_pb.ts";
import type { WatchAggregatesResponse } from "@devicemesh/proto/es/devicemesh/v1/query_service_pb.ts";
import { type Line, type Point, pointOf } from "./lines.ts";

/** An old bucket that a late reading has changed. Times are in ms since 1970. */
export type LateChange = {
  readonly key: string;
  readonly deviceId: string;
  readonly sensor: string;
  readonly startMs: number;
  readonly endMs: number;
  /** The numbers of readings before and after. */
  readonly before: number;
  readonly after: number;
  /** Arrival of the change, by the browser's clock. */
  readonly seenMs: number;
};

/** The current state of the watched buckets. */
export type Watched = {
  readonly lines: ReadonlyMap<string, WatchedLine>;
  readonly bucketMs: number;
  /** The start of the newest bucket of any line. */
  readonly newestMs: number;
  readonly coverage: Coverage | undefined;
  /** The late changes, the newest first. */
  readonly late: readonly LateChange[];
  readonly ahead: readonly AggregateRow[];
};

/** A line with its points by their start. */
export type WatchedLine = Omit<Line, "points"> & { readonly points: ReadonlyMap<number, Point> };

const lateMax = 50;

export const nothingWatched: Watched = {
  lines: new Map(),
  bucketMs: 0,
  newestMs: 0,
  coverage: undefined,
  late: [],
  ahead: [],
};

/**
 * Returns the watched buckets after one more message: its buckets replace earlier ones of the same group and start, and
 * buckets older than the last `bucketsMax` are left out. Pure.
 */
export function withMessage(
  before: Watched,
  message: WatchAggregatesResponse,
  { bucketsMax, seenMs }: { readonly bucketsMax: number; readonly seenMs: number },
): Watched {
  const bucketMs = message.bucket
    ? Number(message.bucket.seconds) * 1000 + message.bucket.nanos / 1e6
    : before.bucketMs;
  const lines = new Map<string, { line: WatchedLine; points: Map<number, Point> }>();
  for (const [key, line] of message.snapshot ? [] : before.lines)
    lines.set(key, { line, points: new Map(line.points) });
  const late: LateChange[] = [];
  for (const bucket of message.buckets) {
    const change = lateChange(before, message, bucket, seenMs);
    if (change) late.push(change);
    add(lines, bucket);
  }
  const starts = [...lines.values()].flatMap(({ points }) => [...points.keys()]);
  const newestMs = Math.max(0, ...starts);
  const oldestMs = newestMs - (bucketsMax - 1) * bucketMs;
  const kept = [...lines].map(([key, { line, points }]) => {
    for (const startMs of points.keys()) if (startMs < oldestMs) points.delete(startMs);
    return [key, { ...line, points }] as const;
  });
  return {
    lines: new Map(kept),
    bucketMs,
    newestMs,
    coverage: message.coverage ?? before.coverage,
    late: [...late, ...before.late].slice(0, lateMax),
    ahead: aheadAfter(message.snapshot ? [] : before.ahead, message.ahead),
  };
}

function add(lines: Map<string, { line: WatchedLine; points: Map<number, Point> }>, bucket: Bucket): void {
  const { row } = bucket;
  if (!row || !bucket.start) return;
  const key = `${row.deviceId}|${row.sensor}`;
  let entry = lines.get(key);
  if (!entry) {
    const points = new Map<number, Point>();
    entry = { line: { key, deviceId: row.deviceId, sensor: row.sensor, unit: row.unit, points }, points };
    lines.set(key, entry);
  }
  const point = pointOf(bucket);
  if (point) entry.points.set(point.startMs, point);
  else entry.points.delete(timestampMs(bucket.start));
}

/** A change of a bucket before the newest two: the second newest may still fill after the newest has begun. */
function lateChange(
  before: Watched,
  message: WatchAggregatesResponse,
  bucket: Bucket,
  seenMs: number,
): LateChange | undefined {
  const point = pointOf(bucket);
  if (message.snapshot || !point || !bucket.row) return undefined;
  if (point.startMs >= before.newestMs - before.bucketMs) return undefined;
  const { deviceId, sensor } = bucket.row;
  const key = `${deviceId}|${sensor}`;
  const count = before.lines.get(key)?.points.get(point.startMs)?.count ?? 0;
  if (count === point.count) return undefined;
  const { startMs, endMs } = point;
  return { key, deviceId, sensor, startMs, endMs, before: count, after: point.count, seenMs };
}

function aheadAfter(before: readonly AggregateRow[], changed: readonly AggregateRow[]): AggregateRow[] {
  const rows = new Map([...before, ...changed].map((row) => [`${row.deviceId}|${row.sensor}`, row]));
  return [...rows.values()].filter(({ count }) => count > 0n);
}

/** Returns the watched lines with their points in order of time. */
export function linesOfWatched({ lines }: Watched): Line[] {
  return [...lines.values()]
    .map((line) => ({
      ...line,
      points: [...line.points.values()].sort((one, other) => one.startMs - other.startMs),
    }))
    .sort((one, other) => (one.key < other.key ? -1 : 1));
}
