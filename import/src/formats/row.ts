import { ownCopy } from "./own-copy.ts";

/**
 * A row of a recording. Rows with the same columns share their `names` (the same array), so that the meaning of a
 * column is determined once. A row that cannot be split into cells has a `problem`.
 */
export type Row = {
  /** The line on which it begins, from 1. */
  readonly line: number;
  readonly names: readonly string[];
  readonly cells: readonly string[];
  readonly problem: string | undefined;
};

/** Splits text that arrives in pieces into rows. */
export type RowReader = {
  /** Returns the rows that end in this piece; with `isEnd` all remaining rows. */
  read(text: string, isEnd: boolean): Row[];
};

/** The columns of line protocol and InfluxDB besides tags and fields. */
export const influxColumns = {
  time: "_time",
  measurement: "_measurement",
  field: "_field",
  value: "_value",
} as const;

/** Number of different sets of columns in one file that are remembered; beyond it, they are determined again. */
const columnSetsMax = 1000;

/** Returns the same array for equal lists of names. */
export function createNamesCache(): (names: readonly string[]) => readonly string[] {
  const known = new Map<string, readonly string[]>();
  return (names) => {
    const key = names.join("\u0000");
    const found = known.get(key);
    if (found !== undefined) return found;
    if (known.size >= columnSetsMax) known.clear();
    const own = names.map(ownCopy);
    known.set(ownCopy(key), own);
    return own;
  };
}
