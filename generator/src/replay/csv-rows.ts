import { rowCharactersMax } from "../limits.ts";
/** A row of a CSV file, and the line on which it begins, counted from 1. */
export type CsvRow = { readonly line: number } & (
  | { readonly kind: "fields"; readonly fields: readonly string[] }
  /** It cannot be split into fields, and why. */
  | { readonly kind: "problem"; readonly problem: string }
);

/**
 * The rows of a CSV file (RFC 4180: fields in quotes may hold commas, line ends and doubled quotes), without white
 * space around fields; empty lines are left out. Takes constant memory whatever the file holds: a row that is too
 * long, or whose quoted field does not end within `rowCharactersMax`, is a problem of its own line, and reading goes
 * on at the next line, so that a stray quote does not hide the rows behind it.
 */
export async function* readCsvRows(chunks: AsyncIterable<Buffer>): AsyncGenerator<CsvRow> {
  // It drops a byte order mark at the start, and keeps characters whole that two chunks share.
  const decoder = new TextDecoder();
  let line = 1;
  let rest = "";
  let skipsLine = false;

  function* split(data: string, isEnd: boolean): Generator<CsvRow, string> {
    let start = 0;
    while (start < data.length) {
      const row = readRow(data, start, isEnd);
      if (row === undefined) break;
      const isEmpty = row.kind === "fields" && row.fields.length === 1 && row.fields[0] === "";
      if (row.kind === "problem") yield { kind: "problem", problem: row.problem, line };
      else if (!isEmpty) yield { kind: "fields", fields: row.fields, line };
      line += row.lines;
      start = row.end;
    }
    return data.slice(start);
  }

  for await (const chunk of chunks) {
    let data = rest + decoder.decode(chunk, { stream: true });
    if (skipsLine) {
      const end = data.indexOf("\n");
      if (end < 0) continue;
      data = data.slice(end + 1);
      skipsLine = false;
      line += 1;
    }
    rest = yield* split(data, false);
    if (rest.length > rowCharactersMax) {
      yield { kind: "problem", problem: tooLong, line };
      rest = "";
      skipsLine = true;
    }
  }
  if (!skipsLine) yield* split(rest + decoder.decode(), true);
}

const tooLong = `it is longer than ${rowCharactersMax} characters`;
const openQuote = "a quoted field does not end";
const textAfterQuote = "there is text behind a closing quote";

/** A row, where the next one begins, and how many lines it takes. */
type SplitRow = { readonly end: number; readonly lines: number } & (
  | { readonly kind: "fields"; readonly fields: readonly string[] }
  | { readonly kind: "problem"; readonly problem: string }
);

/** The row that begins there; undefined if more data is needed to tell. */
function readRow(data: string, start: number, isEnd: boolean): SplitRow | undefined {
  const lineEnd = data.indexOf("\n", start);
  if (lineEnd < 0 && !isEnd) return undefined;
  const textEnd = lineEnd < 0 ? data.length : lineEnd;
  const end = lineEnd < 0 ? data.length : lineEnd + 1;
  if (textEnd - start > rowCharactersMax) return { kind: "problem", problem: tooLong, end, lines: 1 };
  const text = data.slice(start, textEnd);
  if (!text.includes('"')) {
    return { kind: "fields", fields: text.split(",").map((field) => field.trim()), end, lines: 1 };
  }
  const quoted = readQuotedRow(data, start, isEnd);
  return typeof quoted === "string" ? { kind: "problem", problem: quoted, end, lines: 1 } : quoted;
}

/** A row with quotes in it; a problem; or undefined if more data is needed to tell. */
function readQuotedRow(data: string, start: number, isEnd: boolean): SplitRow | string | undefined {
  const bound = start + rowCharactersMax;
  const incomplete = isEnd || data.length > bound ? openQuote : undefined;
  const fields: string[] = [];
  let lines = 1;
  for (let at = start; ; at++) {
    at = skipBlanks(data, at);
    if (data[at] === '"') {
      const close = closingQuote(data, at, isEnd);
      if (close === undefined || close > bound) return close === undefined ? incomplete : openQuote;
      const value = data.slice(at + 1, close).replaceAll('""', '"');
      lines += value.split("\n").length - 1;
      fields.push(value.trim());
      at = skipBlanks(data, close + 1);
      if (at < data.length && data[at] !== "," && data[at] !== "\n") return textAfterQuote;
    } else {
      const fieldEnd = nextOf(data, at);
      fields.push(data.slice(at, fieldEnd).trim());
      at = fieldEnd;
    }
    if (data[at] === ",") continue;
    // The row's last line must be whole.
    if (at >= data.length && !isEnd) return data.length > bound ? tooLong : undefined;
    return { kind: "fields", fields, end: Math.min(at + 1, data.length), lines };
  }
}

/** Where the field that begins at that quote closes; undefined if it does not, or more data is needed to tell. */
function closingQuote(data: string, open: number, isEnd: boolean): number | undefined {
  for (let at = data.indexOf('"', open + 1); at >= 0; at = data.indexOf('"', at + 2)) {
    if (at + 1 === data.length && !isEnd) return undefined;
    if (data[at + 1] !== '"') return at;
  }
  return undefined;
}

function skipBlanks(data: string, start: number): number {
  let at = start;
  while (data[at] === " " || data[at] === "\t" || data[at] === "\r") at += 1;
  return at;
}

/** The next comma or line end, or the end of the data. */
function nextOf(data: string, start: number): number {
  const comma = data.indexOf(",", start);
  const lineEnd = data.indexOf("\n", start);
  const ends = [comma, lineEnd].filter((at) => at >= 0);
  return ends.length === 0 ? data.length : Math.min(...ends);
}
