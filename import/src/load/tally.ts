import { ownCopy } from "../formats/own-copy.ts";
import type { Row } from "../formats/row.ts";
import { listedMax, reasonsMax, unknownNamesMax } from "../limits.ts";

/** A place in the files. */
export type Place = {
  readonly file: string;
  readonly line: number;
  /** The name of the column; undefined for a whole row. */
  readonly column: string | undefined;
  readonly text: string;
};

/** The rejected values with the same reason. */
export type Refusal = {
  readonly reason: string;
  readonly count: number;
  readonly examples: readonly Place[];
};

/** The counts of the read values: values = readings + missing + unknown + refused + badRows. */
export type Counts = {
  readonly rows: number;
  /** Number of cells that contain, or could contain, a value; an unreadable row counts as one. */
  readonly values: number;
  /** Values that were sent. */
  readonly readings: number;
  readonly missing: number;
  readonly unknown: number;
  /** Values that break a rule. */
  readonly refused: number;
  readonly badRows: number;
};

/** Counts the outcomes of values. */
export type Tally = {
  row(): void;
  reading(): void;
  missing(): void;
  unknown(name: string): void;
  refused(file: string, row: Row, column: string, reason: string): Place;
  bad(file: string, row: Row, reason: string): Place;
  counts(): Counts;
  /** The reasons, the most frequent first. */
  refusals(): readonly Refusal[];
  /** The unknown sensors, the most frequent first. */
  unknownSensors(): readonly { readonly name: string; readonly count: number }[];
};

const otherNames = "others";
const otherReasons = "other reasons";

/** Creates an empty tally; its memory is bounded whatever the files contain. */
export function createTally(): Tally {
  const counts = { rows: 0, readings: 0, missing: 0, unknown: 0, refused: 0, badRows: 0 };
  const names = new Map<string, number>();
  const reasons = new Map<string, { count: number; examples: Place[] }>();

  function note(place: Place): Place {
    const reason = reasonOf(place.text);
    const key = reasons.has(reason) || reasons.size < reasonsMax ? reason : otherReasons;
    const found = reasons.get(key) ?? { count: 0, examples: [] };
    found.count += 1;
    if (found.examples.length < listedMax) found.examples.push(place);
    reasons.set(key, found);
    return place;
  }

  return {
    row() {
      counts.rows += 1;
    },
    reading() {
      counts.readings += 1;
    },
    missing() {
      counts.missing += 1;
    },
    unknown(name) {
      counts.unknown += 1;
      const key = names.has(name) ? name : names.size < unknownNamesMax ? ownCopy(name) : otherNames;
      names.set(key, (names.get(key) ?? 0) + 1);
    },
    refused(file, row, column, reason) {
      counts.refused += 1;
      const at = row.names.indexOf(column);
      const text = `${JSON.stringify((row.cells[at] ?? "").slice(0, 60))}: ${reason}`;
      return note({ file, line: row.line, column, text });
    },
    bad(file, row, reason) {
      counts.badRows += 1;
      return note({ file, line: row.line, column: undefined, text: reason });
    },
    counts() {
      const { readings, missing, unknown, refused, badRows } = counts;
      return { ...counts, values: readings + missing + unknown + refused + badRows };
    },
    refusals: () =>
      [...reasons].map(([reason, found]) => ({ reason, ...found })).sort((a, b) => b.count - a.count),
    unknownSensors: () =>
      [...names].map(([name, count]) => ({ name, count })).sort((a, b) => b.count - a.count),
  };
}

/** The reason without the parts that vary by row: quoted texts, and the numbers of fields. */
function reasonOf(text: string): string {
  return text
    .replace(/"(?:[^"\\]|\\.)*"(: )?/g, "… ")
    .replace(/\s+/g, " ")
    .replace(/^… /, "")
    .trim();
}
