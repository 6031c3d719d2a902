import { type BucketGrid, bucketEnd } from "../../calendar/bucket-grid.ts";
import type { Aggregate, UnitOf } from "../../plan/merge.ts";
import { allTime } from "../../plan/planner.ts";
import type { ReadingColumns } from "../../store/reading-scan.ts";
import type { BucketsPiece } from "../buckets-export.ts";

/** A column of an export: text, a time in ms since 1970, a measured number, or a count. */
export type ExportColumn = { readonly name: string; readonly kind: "text" | "time" | "number" | "count" };

/** Rows by column, in the order of the columns; texts are strings, everything else numbers. */
export type ExportRows = {
  readonly length: number;
  readonly columns: readonly (readonly string[] | readonly number[])[];
};

/** The columns of readings. */
export const readingsTable: readonly ExportColumn[] = [
  { name: "timestamp", kind: "time" },
  { name: "device_id", kind: "text" },
  { name: "sensor", kind: "text" },
  { name: "value", kind: "number" },
  { name: "unit", kind: "text" },
];

/** Converts readings to rows of `readingsTable`. */
export function readingRows(
  { timestampsMs, deviceIds, sensors, values }: ReadingColumns,
  unitOf: UnitOf,
): ExportRows {
  const units = sensors.map(unitOf);
  return { length: values.length, columns: [timestampsMs, deviceIds, sensors, values, units] };
}

type BucketColumn = ExportColumn & { readonly of: (row: Aggregate, buckets: BucketGrid) => string | number };

const bucketColumns: readonly BucketColumn[] = [
  { name: "start", kind: "time", of: (row) => row.bucketMs },
  // A bucket may be longer than the range of a timestamp.
  {
    name: "end",
    kind: "time",
    of: (row, buckets) => Math.min(bucketEnd(buckets, row.bucketMs), allTime.toMs - 1),
  },
  { name: "device_id", kind: "text", of: (row) => row.deviceId },
  { name: "sensor", kind: "text", of: (row) => row.sensor },
  { name: "unit", kind: "text", of: (row) => row.unit },
  { name: "count", kind: "count", of: ({ partial }) => partial.count },
  { name: "average", kind: "number", of: (row) => row.average },
  { name: "minimum", kind: "number", of: ({ partial }) => partial.minimum },
  { name: "maximum", kind: "number", of: ({ partial }) => partial.maximum },
  { name: "sum", kind: "number", of: ({ partial }) => partial.sum },
  { name: "standard_deviation", kind: "number", of: (row) => row.standardDeviation },
  { name: "first_timestamp", kind: "time", of: ({ partial }) => partial.firstAtMs },
  { name: "first_value", kind: "number", of: ({ partial }) => partial.firstValue },
  { name: "last_timestamp", kind: "time", of: ({ partial }) => partial.lastAtMs },
  { name: "last_value", kind: "number", of: ({ partial }) => partial.lastValue },
  { name: "minimum_at", kind: "time", of: ({ partial }) => partial.minimumAtMs },
  { name: "maximum_at", kind: "time", of: ({ partial }) => partial.maximumAtMs },
];

/** The columns of buckets. */
export const bucketsTable: readonly ExportColumn[] = bucketColumns.map(({ name, kind }) => ({ name, kind }));

/** Converts buckets to rows of `bucketsTable`. */
export function bucketRows({ aggregates, buckets }: BucketsPiece): ExportRows {
  return {
    length: aggregates.length,
    columns: bucketColumns.map(
      ({ of }) => aggregates.map((row) => of(row, buckets)) as readonly string[] | readonly number[],
    ),
  };
}
