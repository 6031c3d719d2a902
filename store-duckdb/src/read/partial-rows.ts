import type { ColumnMerge } from "@devicemesh/query";
import type { NumberColumns } from "../database/duckdb-columns.ts";
import { partialsTable } from "../database/store-sql.ts";

/** The columns of `partialRowsSql`. */
export const partialRowColumns = "idddddddddddd";

/**
 * Returns SQL for partials of a level, in their stored form: of windows that start in [$1, $2) and of segments in [$3,
 * $4). `addPartialRows` reads its rows.
 */
export function partialRowsSql(level: number, condition = "true"): string {
  return `SELECT series, window_start::DOUBLE, count::DOUBLE, sum, minimum, maximum, minimum_at::DOUBLE, maximum_at::DOUBLE,
  first_at::DOUBLE, first_value, last_at::DOUBLE, last_value, m2
FROM ${partialsTable(level)}
WHERE window_start >= $1 AND window_start < $2 AND segment >= $3 AND segment < $4 AND ${condition}`;
}

/** Adds rows of `partialRowsSql`. */
export function addPartialRows(merge: ColumnMerge, columns: NumberColumns, rows: number): void {
  const [series, start, count, sum, low, high, lowAt, highAt, firstAt, first, lastAt, last, m2] =
    columns as readonly [Int32Array, ...Float64Array[]];
  for (let row = 0; row < rows; row++) {
    const of = (column: Float64Array | undefined): number => column?.[row] as number;
    merge.addPartial(
      series[row] as number,
      of(start),
      of(count),
      of(sum),
      of(low),
      of(high),
      of(lowAt),
      of(highAt),
      of(firstAt),
      of(first),
      of(lastAt),
      of(last),
      of(m2),
    );
  }
}
