import type { Scan } from "@devicemesh/query";
import type { NumbersQuery } from "./duckdb-readers.ts";

/** The columns of `rawQuery`: series, timestamp in ms, value. */
export const rawColumns = "ibd";

/**
 * Returns a prepared statement for the raw readings of one or two scans, of these series or of all, with at most
 * `rowsMax` for each scan.
 */
export function rawQuery(
  scans: readonly Scan[],
  { rowsMax, codes }: { readonly rowsMax: number; readonly codes?: readonly number[] | undefined },
): NumbersQuery {
  const parameters: number[] = [];
  const parameter = (value: number): string => `$${parameters.push(value)}`;
  const parts = scans.map(({ sinceMs, toMs, arrivedSinceMs, arrivedToMs }) => {
    const conditions = [`ts >= ${parameter(sinceMs)}`, `ts < ${parameter(toMs)}`];
    if (Number.isFinite(arrivedSinceMs)) conditions.push(`arrived >= ${parameter(arrivedSinceMs)}`);
    if (Number.isFinite(arrivedToMs)) conditions.push(`arrived < ${parameter(arrivedToMs)}`);
    if (codes)
      conditions.push(`series IN (${codes.map((code) => `${parameter(code)}::INTEGER`).join(", ")})`);
    return `SELECT series, ts, value FROM readings WHERE ${conditions.join(" AND ")} LIMIT ${rowsMax}`;
  });
  // The engine plans each execution again, so the statement is as small as can be: a limit of the whole union, and
  // casts, cost a tenth of it.
  return {
    sql: parts.length === 1 ? (parts[0] as string) : parts.map((part) => `(${part})`).join(" UNION ALL "),
    columns: rawColumns,
    parameters,
  };
}
