import type { ExportColumn, ExportRows } from "./export-table.ts";
import type { TableWriter, TableWriterOptions } from "./table-writer.ts";
import { createTimeText } from "./zone-clock.ts";

type CellText = (rows: ExportRows, column: number) => (row: number) => string;

/** Writes CSV according to RFC 4180, with LF and a header. The end line is a comment: `# {"rows":…}`. */
export function createCsvWriter({ columns, clock, hasEndLine }: TableWriterOptions): TableWriter {
  const time = createTimeText(clock);
  const cells = columns.map((column) => cellText(column, { time, text: csvText }));
  let start = `${columns.map(({ name }) => name).join(",")}\n`;
  return {
    write: (rows) => {
      const text = start + textOf(rows, cells, { between: ",", after: "\n", before: columns.map(() => "") });
      start = "";
      return Buffer.from(text);
    },
    finish: (end) => Buffer.from(`${start}${hasEndLine ? `# ${JSON.stringify(end)}\n` : ""}`),
  };
}

/** Writes one JSON object on each line. The end line is an object with the one member `end`. */
export function createNdjsonWriter({ columns, clock, hasEndLine }: TableWriterOptions): TableWriter {
  const time = createTimeText(clock);
  const cells = columns.map((column) =>
    cellText(column, { time: (ms) => `"${time(ms)}"`, text: JSON.stringify }),
  );
  const before = columns.map(({ name }, place) => `${place === 0 ? "{" : ""}${JSON.stringify(name)}:`);
  return {
    write: (rows) => Buffer.from(textOf(rows, cells, { before, between: ",", after: "}\n" })),
    finish: (end) => Buffer.from(hasEndLine ? `${JSON.stringify({ end })}\n` : ""),
  };
}

function textOf(
  rows: ExportRows,
  cells: readonly CellText[],
  marks: { readonly before: readonly string[]; readonly between: string; readonly after: string },
): string {
  const { before, between, after } = marks;
  const texts = cells.map((cell, column) => cell(rows, column));
  let text = "";
  for (let row = 0; row < rows.length; row++) {
    for (let column = 0; column < texts.length; column++) {
      if (column > 0) text += between;
      text += before[column];
      text += texts[column]?.(row);
    }
    text += after;
  }
  return text;
}

function cellText(
  { kind }: ExportColumn,
  { time, text }: { readonly time: (ms: number) => string; readonly text: (value: string) => string },
): CellText {
  switch (kind) {
    case "text":
      return (rows, column) => {
        const values = rows.columns[column] as readonly string[];
        // Names repeat; a piece has only a few.
        const known = new Map<string, string>();
        return (row) => {
          const value = values[row] as string;
          const found = known.get(value);
          if (found !== undefined) return found;
          const made = text(value);
          known.set(value, made);
          return made;
        };
      };
    case "time":
      return (rows, column) => {
        const values = rows.columns[column] as readonly number[];
        return (row) => time(values[row] as number);
      };
    default:
      return (rows, column) => {
        const values = rows.columns[column] as readonly number[];
        return (row) => numberText(values[row] as number);
      };
  }
}

/** Returns the shortest digits of the same number, including the sign of zero. */
function numberText(value: number): string {
  return Object.is(value, -0) ? "-0" : `${value}`;
}

function csvText(value: string): string {
  return /[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
}
