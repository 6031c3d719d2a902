import { isNumeric } from "../convert/numbers.ts";
import { sampleRows } from "../limits.ts";
import { inferTimeForm } from "../time/infer-time-form.ts";
import { unitOf } from "../units/units.ts";
import { createFieldReader, type FieldLine, type TableLayout } from "./csv-rows.ts";
import type { Separator } from "./split-line.ts";

/** The layout of a table, and the format of its rows. */
export type FoundTable = {
  readonly layout: TableLayout;
  /** The line of the header, from 1; undefined if there is none. */
  readonly headerLine: number | undefined;
  /** The units of the columns, if a row below the header contains them. */
  readonly units: readonly string[] | undefined;
  /** Whether the first column contains row numbers and has no name. */
  readonly hasRowNumbers: boolean;
};

/** Detects the layout of the table at the beginning of this text; undefined if it is not a table. */
export function tableLayoutOf(sample: string, isWhole: boolean): FoundTable | undefined {
  // The last line may be incomplete.
  const text = isWhole ? sample : sample.slice(0, sample.lastIndexOf("\n") + 1);
  const separator = separatorOf(text);
  const lines = linesOf(text, separator);
  const count = commonCount(lines);
  if (count === 0) return undefined;
  const full = lines.filter(({ fields }) => fields.length === count);
  const times = timeColumns(full, count);
  const isData = ({ fields }: FieldLine) =>
    fields.length === count &&
    (times.length > 0
      ? times.some((at) => inferTimeForm([fields[at]!]).kind !== "none")
      : fields.some(isNumeric));
  const first = lines.findIndex(isData);
  if (first < 0) return undefined;
  let top = first;
  const isNamed = () => top < first && lines[top]!.fields.length === count;
  // Above a line that names every column, only a line as wide belongs to the header: `sep=;` or a comment does not.
  while (top > 0 && isHeaderLike(lines[top - 1]!, count)) {
    if (isNamed() && lines[top - 1]!.fields.length !== count) break;
    top -= 1;
  }
  const header = top < first ? lines[top]! : undefined;
  const units = lines
    .slice(top + 1, first)
    .find(({ fields }) => fields.some((field) => unitOf(field) !== undefined));
  const data = lines.slice(first).filter(isData);
  const hasRowNumbers = header !== undefined && isShifted(header.fields, data, times);
  return {
    layout: {
      separator,
      skippedLines: lines[first]!.line - 1,
      names: columnNames(hasRowNumbers ? ["", ...header.fields] : header?.fields, count),
      header: header?.fields,
    },
    headerLine: header?.line,
    units: units?.fields,
    hasRowNumbers,
  };
}

function linesOf(text: string, separator: Separator): FieldLine[] {
  return createFieldReader(separator).read(text, true).slice(0, sampleRows);
}

/** Separators that never occur inside a number come first: a comma may be the decimal sign. */
function separatorOf(text: string): Separator {
  const fits = (separator: Separator) => {
    const lines = linesOf(text, separator);
    const count = commonCount(lines);
    return count > 1 && lines.filter(({ fields }) => fields.length === count).length >= lines.length / 2;
  };
  return (["\t", ";", "|", ",", "blanks"] as const).find(fits) ?? ",";
}

/** Returns the number of fields of most lines; the larger one of two. */
function commonCount(lines: readonly FieldLine[]): number {
  const counts = new Map<number, number>();
  for (const { fields, problem } of lines) {
    if (problem === undefined) counts.set(fields.length, (counts.get(fields.length) ?? 0) + 1);
  }
  return [...counts].sort((a, b) => b[1] - a[1] || b[0] - a[0])[0]?.[0] ?? 0;
}

/** Returns the columns with times, dates or times of day in most lines. */
function timeColumns(lines: readonly FieldLine[], count: number): number[] {
  const sample = lines.slice(Math.floor(lines.length / 2), Math.floor(lines.length / 2) + 200);
  return Array.from({ length: count }, (_, at) => at).filter((at) => {
    const { kind } = inferTimeForm(sample.map(({ fields }) => fields[at]!));
    return kind !== "none";
  });
}

/** Detects a line of names or units directly above the data: as many fields, or one less, and few numbers. */
function isHeaderLike({ fields, problem }: FieldLine, count: number): boolean {
  if (problem !== undefined || count === 0) return false;
  if (fields.length !== count && fields.length !== count - 1 && fields.length !== count + 1) return false;
  const numbers = fields.filter((field) => field !== "" && isNumeric(field)).length;
  return fields.some((field) => field !== "") && numbers * 2 < fields.length;
}

/** Whether the rows begin with a number that has no name in the header. */
function isShifted(header: readonly string[], data: readonly FieldLine[], times: readonly number[]): boolean {
  const count = data[0]?.fields.length ?? 0;
  if (header.length !== count - 1 || data.length < 2 || times.includes(0)) return false;
  const numbers = data.map(({ fields }) => fields[0]!);
  if (
    !numbers.every((text, at) => /^\d+$/.test(text) && (at === 0 || Number(text) > Number(numbers[at - 1])))
  )
    return false;
  // With the header shifted, the times must be under a column of times, and without the shift they must not.
  const named = header.findIndex((name) => /time|date|^ts$|stamp/i.test(name));
  return named < 0 ? header[0] !== "" : times.includes(named + 1) && !times.includes(named);
}

/** Returns a unique name for each column. */
function columnNames(header: readonly string[] | undefined, count: number): string[] {
  const names: string[] = [];
  const length = header === undefined ? count : header.length;
  for (let at = 0; at < length; at++) {
    const given = header?.[at] ?? "";
    let name = given === "" ? `column ${at + 1}` : given;
    for (let again = 2; names.includes(name); again++) name = `${given} (${again})`;
    names.push(name);
  }
  return names;
}
