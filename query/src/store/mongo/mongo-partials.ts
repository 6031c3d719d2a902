import type { SensorName } from "@devicemesh/proto";
import type { Document } from "mongodb";
import { type BucketGrid, bucketExpression } from "../../calendar/bucket-grid.ts";
import type { SeriesPartial } from "../reading-store.ts";

// The groups of readings, partials and repairs: by series, bucket and part, each a partial again. M2 is never computed
// from squares of values: for readings it is the database's own (Welford's), for partials Chan's formula.

/**
 * Approximate maximum number of windows that the database merges into one, so that the data that it keeps of each, to
 * merge their M2, stays small. The caller merges the rest.
 */
const windowsOfPart = 1000;

/** A row of a group. */
export type PartialRow = {
  readonly _id: { readonly d: string; readonly s: SensorName; readonly b: number };
  readonly count: number;
  readonly sum: number;
  readonly lowest: { readonly v: number; readonly t: Date };
  /** Its time is negated, so that of equal values the earliest is the largest. */
  readonly highest: { readonly v: number; readonly t: number };
  readonly first: { readonly t: Date; readonly v: number };
  readonly last: { readonly t: Date; readonly v: number };
  readonly m2: number;
};

/** Returns stages that group readings. */
export function groupReadings(buckets: BucketGrid | undefined): Document[] {
  return [
    {
      $group: {
        _id: { d: "$device_id", s: "$sensor", b: bucketOf("$timestamp", buckets) },
        count: { $sum: 1 },
        sum: { $sum: "$value" },
        lowest: { $min: { v: "$value", t: "$timestamp" } },
        highest: { $max: { v: "$value", t: negated("$timestamp") } },
        first: { $min: { t: "$timestamp", v: "$value" } },
        last: { $max: { t: "$timestamp", v: "$value" } },
        deviation: { $stdDevPop: "$value" },
      },
    },
    { $set: { m2: { $multiply: ["$count", { $pow: ["$deviation", 2] }] } } },
    { $unset: "deviation" },
  ];
}

/**
 * Returns stages that group partials of windows of a size. `at` is their path in the document, with its dot; `keys` and
 * `sums` are additional ones of the group. Empty partials, without figures, give a row with a count of 0.
 */
export function groupPartials(options: {
  readonly buckets: BucketGrid | undefined;
  readonly windowMs: number;
  readonly at?: string;
  readonly keys?: Document;
  readonly sums?: Document;
}): Document[] {
  const { buckets, windowMs, at = "", keys, sums } = options;
  const field = (name: string): string => `$${at}${name}`;
  const partMs = windowsOfPart * windowMs;
  const isBucketSmall = buckets?.every(({ sizeMs }) => sizeMs <= partMs) ?? false;
  return [
    {
      $group: {
        _id: {
          d: "$device_id",
          s: "$sensor",
          b: bucketOf("$window_start", buckets),
          ...(!isBucketSmall && { part: startOf("$window_start", partMs) }),
          ...keys,
        },
        ...sums,
        count: { $sum: field("count") },
        sum: { $sum: field("sum") },
        lowest: { $min: { v: field("minimum"), t: field("minimum_at") } },
        highest: { $max: { v: field("maximum"), t: negated(field("maximum_at")) } },
        first: { $min: { t: field("first_at"), v: field("first_value") } },
        last: { $max: { t: field("last_at"), v: field("last_value") } },
        parts: { $push: { n: field("count"), s: field("sum"), m: field("m2") } },
      },
    },
    { $set: { mean: { $divide: ["$sum", { $max: ["$count", 1] }] } } },
    {
      $set: {
        m2: {
          $sum: {
            $map: {
              input: "$parts",
              as: "part",
              in: {
                $add: [
                  "$$part.m",
                  {
                    $multiply: [
                      "$$part.n",
                      {
                        $pow: [
                          { $subtract: [{ $divide: ["$$part.s", { $max: ["$$part.n", 1] }] }, "$mean"] },
                          2,
                        ],
                      },
                    ],
                  },
                ],
              },
            },
          },
        },
      },
    },
    { $unset: ["parts", "mean"] },
  ];
}

/** Converts a row to a partial. */
export function partialOfRow(row: PartialRow, { isRaw }: { readonly isRaw: boolean }): SeriesPartial {
  const { _id: group, lowest, highest, first, last } = row;
  const count = Number(row.count);
  return {
    deviceId: group.d,
    sensor: group.s,
    bucketMs: Number(group.b),
    count,
    sum: Number(row.sum),
    minimum: Number(lowest.v),
    minimumAtMs: lowest.t.getTime(),
    maximum: Number(highest.v),
    maximumAtMs: -Number(highest.t),
    firstAtMs: first.t.getTime(),
    firstValue: Number(first.v),
    lastAtMs: last.t.getTime(),
    lastValue: Number(last.v),
    m2: Number(row.m2),
    fromRaw: isRaw ? count : 0,
  };
}

/** Returns the start, in ms since 1970, of the bucket of a date; 0 if there are no buckets. */
export function bucketOf(date: string, buckets: BucketGrid | undefined): Document | number {
  if (!buckets) return 0;
  return bucketExpression<Document>(buckets, {
    aligned: ({ sinceMs, sizeMs }) => startOf(date, sizeMs, sinceMs),
    choice: (beforeMs, earlier, later) => ({ $cond: [{ $lt: [date, new Date(beforeMs)] }, earlier, later] }),
  });
}

/** Returns the start, in ms since 1970, of the span of this size, counted from `originMs`, of a date. */
export function startOf(date: string, sizeMs: number, originMs = 0): Document {
  const ms = { $toLong: date };
  return { $subtract: [ms, { $mod: [originMs === 0 ? ms : { $subtract: [ms, originMs] }, sizeMs] }] };
}

function negated(date: string): Document {
  return { $subtract: [0, { $toLong: date }] };
}
