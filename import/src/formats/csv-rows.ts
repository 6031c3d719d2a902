import { rowCharactersMax } from "../limits.ts";
import type { Row, RowReader } from "./row.ts";
import { type Separator, splitLine } from "./split-line.ts";

/** The layout of a table. */
export type TableLayout = {
  readonly separator: Separator;
  /** Number of lines before the first row of data, header included. */
  readonly skippedLines: number;
  /** The names of the columns. */
  readonly names: readonly string[];
  /** The text of the header in the file, if there is one: an equal line is not a row. */
  readonly header: readonly string[] | undefined;
};

/** Splits text into lines of fields, in constant memory. */
export type FieldReader = {
  read(text: string, isEnd: boolean): FieldLine[];
};

/** The fields of a line. */
export type FieldLine = {
  readonly line: number;
  readonly fields: readonly string[];
  readonly problem: string | undefined;
};

/** Creates a reader of lines; empty ones are left out, unless `keepsEmpty`. */
export function createFieldReader(separator: Separator, keepsEmpty = false): FieldReader {
  let rest = "";
  let line = 1;
  let skips = false;

  function skipped(text: string): string {
    const end = text.indexOf("\n");
    if (end < 0) return "";
    skips = false;
    line += 1;
    return text.slice(end + 1);
  }

  return {
    read(text, isEnd) {
      const found: FieldLine[] = [];
      let data = rest === "" ? text : rest + text;
      if (skips) data = skipped(data);
      let at = 0;
      while (at < data.length) {
        const split = splitLine(data, at, separator, isEnd);
        if (split === undefined) break;
        const { fields, problem } = split;
        const isEmpty = problem === undefined && fields.length === 1 && fields[0] === "";
        if (!isEmpty || keepsEmpty) found.push({ line, fields, problem });
        line += split.lines;
        at = split.end;
      }
      rest = data.slice(at);
      if (rest.length > rowCharactersMax) {
        found.push({ line, fields: [], problem: `the row is longer than ${rowCharactersMax} characters` });
        rest = "";
        skips = true;
      }
      return found;
    },
  };
}

/**
 * Reads the rows of a table: CSV and similar formats. A row whose fields do not match the columns is a problem by
 * itself.
 */
export function createTableReader({ separator, skippedLines, names, header }: TableLayout): RowReader {
  const lines = createFieldReader(separator);
  const columns = names.length;
  const headerText = header?.join("\u0000");
  return {
    read(text, isEnd) {
      const rows: Row[] = [];
      for (const { line, fields, problem } of lines.read(text, isEnd)) {
        if (line <= skippedLines) continue;
        if (problem !== undefined) rows.push({ line, names, cells: fields, problem });
        else if (fields.length === columns) {
          if (fields[0] !== header?.[0] || fields.join("\u0000") !== headerText)
            rows.push({ line, names, cells: fields, problem: undefined });
        } else if (fields.length !== header?.length || fields.join("\u0000") !== headerText)
          rows.push(fitted(line, fields, names));
      }
      return rows;
    },
  };
}

/** A row may have fewer or more empty fields at its end; any other difference is a problem. */
function fitted(line: number, fields: readonly string[], names: readonly string[]): Row {
  const surplus = fields.slice(names.length);
  if (surplus.length > 0 && surplus.every((field) => field === ""))
    return { line, names, cells: fields.slice(0, names.length), problem: undefined };
  const problem = `the row has ${fields.length} fields, the header has ${names.length}`;
  return { line, names, cells: fields, problem };
}
