import type { Timeframe } from "../api/timeframe.ts";
import type { Aggregate } from "../plan/merge.ts";
import { compareSeries } from "../plan/series-order.ts";
import type { Span } from "../plan/spans.ts";
import type { Outside } from "./automatic-timeframe.ts";

/**
 * Maximum number of rows of one page. With the longest device ids a row has about 800 bytes of JSON, so an answer stays
 * below 3 MiB, which clients accept by default (grpcurl, Go and Python: 4 MiB).
 */
export const pageRowsMax = 2500;

/** The row before the start of a page, by group and bucket. */
export type RowPlace = { readonly deviceId: string; readonly sensor: string; readonly bucketMs: number };

/**
 * The start of a page of ListBuckets, with the decisions of the first page: the size of the buckets, unless they are
 * calendar buckets, their span, and the timeframe.
 */
export type BucketsPlace = {
  readonly after: RowPlace;
  readonly sizeMs?: number | undefined;
  readonly filled: Span;
  readonly timeframe: Timeframe;
  readonly outside: readonly Outside[];
};

/** A page of ordered rows, and the position of its last row if there are more. */
export function pageOfRows<Row extends RowPlace>(
  rows: readonly Row[],
  { after, pageSize }: { readonly after: RowPlace | undefined; readonly pageSize: number },
): { readonly page: readonly Row[]; readonly last: RowPlace | undefined } {
  const start = after === undefined ? 0 : firstAfter(rows, after);
  const size = pageSize || pageRowsMax;
  const page = rows.slice(start, start + size);
  const last = page.at(-1);
  if (last === undefined || start + size >= rows.length) return { page, last: undefined };
  const { deviceId, sensor, bucketMs } = last;
  return { page, last: { deviceId, sensor, bucketMs } };
}

/** Counts the readings of a page's rows, from windows and from raw readings. */
export function readingsOf(rows: readonly Pick<Aggregate, "partial" | "fromRaw">[]): {
  readonly fromWindows: number;
  readonly fromRaw: number;
} {
  const count = rows.reduce((sum, { partial }) => sum + partial.count, 0);
  const fromRaw = rows.reduce((sum, row) => sum + row.fromRaw, 0);
  return { fromWindows: count - fromRaw, fromRaw };
}

function firstAfter(rows: readonly RowPlace[], place: RowPlace): number {
  const found = rows.findIndex((row) => compareRows(row, place) > 0);
  return found < 0 ? rows.length : found;
}

function compareRows(a: RowPlace, b: RowPlace): number {
  return compareSeries(a, b) || a.bucketMs - b.bucketMs;
}
