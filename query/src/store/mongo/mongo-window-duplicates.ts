import { collections } from "@devicemesh/pipeline";
import type { Db, Document } from "mongodb";
import type { DuplicateWindow, DuplicateWindowsFound, DuplicateWindowsRequest } from "../reading-store.ts";
import { partialFields, scanStages } from "./mongo-conditions.ts";
import type { LargeReadOptions } from "./mongo-large-reads.ts";

/** Maximum number of windows, or spans of windows of one series each, in one result: a few hundred bytes each. */
export const duplicateWindowsMax = 20_000;

/** Returns the stages that find the windows with duplicates of a request. Pure, like all pipelines here. */
function foundStages({ filter, sinceMs, toMs, relevant }: DuplicateWindowsRequest): Document[] {
  const scan = {
    sinceMs,
    toMs,
    arrivedSinceMs: Number.NEGATIVE_INFINITY,
    arrivedToMs: Number.POSITIVE_INFINITY,
  };
  const inTimeframe = scanStages({ scan, fields: partialFields, filter });
  if (!relevant) return inTimeframe;
  const isRecent = { last_repeat: { $gte: new Date(relevant.sinceMs) } };
  // A mesh that was pure from its first day has no earlier duplicates: an index serves the rest.
  if (relevant.beforeMs <= 0) return [{ $match: isRecent }, ...inTimeframe];
  return [
    ...inTimeframe,
    { $match: { $or: [isRecent, { first_repeat: { $lt: new Date(relevant.beforeMs) } }] } },
  ];
}

/** Returns the pipeline that finds windows with duplicates, up to one more than the limit. */
export function duplicateWindowsPipeline(request: DuplicateWindowsRequest): Document[] {
  return [
    ...foundStages(request),
    { $limit: duplicateWindowsMax + 1 },
    {
      $project: {
        _id: 0,
        d: "$device_id",
        s: "$sensor",
        w: "$window_start",
        f: "$first_repeat",
        l: "$last_repeat",
        t: "$repair.through",
      },
    },
  ];
}

/** Returns the pipeline that finds one span for each series, from its first window with duplicates to its last. */
export function duplicateSeriesPipeline(request: DuplicateWindowsRequest): Document[] {
  return [
    ...foundStages(request),
    {
      $group: {
        _id: { d: "$device_id", s: "$sensor" },
        w: { $min: "$window_start" },
        e: { $max: "$window_start" },
        f: { $min: "$first_repeat" },
        l: { $max: "$last_repeat" },
      },
    },
    { $limit: duplicateWindowsMax + 1 },
    { $project: { _id: 0, d: "$_id.d", s: "$_id.s", w: 1, e: 1, f: 1, l: 1 } },
  ];
}

type Row = {
  readonly d: string;
  readonly s: string;
  readonly w: Date;
  readonly e?: Date;
  readonly f: Date;
  readonly l: Date;
  readonly t?: Date;
};

/**
 * Reads windows with duplicates. If there are more than `duplicateWindowsMax`, the database makes one span of those of each
 * series: the planner reads that span from raw readings, which is just as exact, and affects that series only.
 */
export async function findDuplicateWindows(
  request: DuplicateWindowsRequest & {
    readonly db: Db;
    /** The size of the finest windows. */
    readonly windowMs: () => number;
  },
  options: LargeReadOptions,
): Promise<DuplicateWindowsFound> {
  const { db, windowMs, sinceMs, toMs, relevant } = request;
  if (sinceMs >= toMs) return { windows: [] };
  const windows = await readRows(db, duplicateWindowsPipeline(request), options);
  if (windows.length <= duplicateWindowsMax) return { windows: windows.map(duplicateWindowOf) };
  const series = await readRows(db, duplicateSeriesPipeline(request), options);
  if (series.length <= duplicateWindowsMax) {
    return {
      windows: series.map((row) => ({
        ...duplicateWindowOf(row),
        toMs: (row.e ?? row.w).getTime() + windowMs(),
      })),
    };
  }
  const firstDuplicateMs = relevant && relevant.beforeMs <= 0 ? relevant.beforeMs : Number.NEGATIVE_INFINITY;
  return { windows: [], everySeries: { sinceMs, toMs, firstDuplicateMs } };
}

async function readRows(db: Db, pipeline: Document[], options: LargeReadOptions): Promise<Row[]> {
  return db
    .collection(collections.duplicateWindows)
    .aggregate<Row>(pipeline, { ...options, batchSize: 5000, allowDiskUse: true })
    .toArray();
}

function duplicateWindowOf({ d, s, w, f, l, t }: Row): DuplicateWindow {
  return {
    deviceId: d,
    sensor: s,
    windowMs: w.getTime(),
    firstDuplicateMs: f.getTime(),
    lastDuplicateMs: l.getTime(),
    repairThroughMs: t?.getTime(),
  };
}
