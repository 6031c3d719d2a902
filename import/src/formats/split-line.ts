import { quotedCharactersMax, rowCharactersMax } from "../limits.ts";

/** The separator between the fields of a row; `blanks`: any number of spaces and tabs. */
export type Separator = "," | ";" | "\t" | "|" | "blanks";

/** The fields of a line, the start of the next one, and its number of lines; or its problem. */
export type SplitLine = {
  readonly end: number;
  readonly lines: number;
  readonly fields: readonly string[];
  readonly problem: string | undefined;
};

const noFields: readonly string[] = [];
const tooLong = `the row is longer than ${rowCharactersMax} characters`;
const openQuote = "a quoted field does not end";
const textAfterQuote = "there is text behind a closing quote";

/**
 * Splits the line that begins at `start`: fields in double quotes may contain separators, line ends and doubled quotes;
 * white space around fields is dropped. Returns undefined if it needs more text. A line with a problem ends at its
 * first line end, so that a stray quote does not hide the lines after it.
 */
export function splitLine(
  text: string,
  start: number,
  separator: Separator,
  isEnd: boolean,
): SplitLine | undefined {
  const lineEnd = text.indexOf("\n", start);
  if (lineEnd < 0 && !isEnd) {
    return undefined;
  }
  const textEnd = lineEnd < 0 ? text.length : lineEnd;
  const end = lineEnd < 0 ? text.length : lineEnd + 1;
  const bad = (problem: string): SplitLine => ({ end, lines: 1, fields: noFields, problem });
  if (textEnd - start > rowCharactersMax) return bad(tooLong);
  const line = text.slice(start, textEnd);
  if (!line.includes('"')) return { end, lines: 1, fields: plainFields(line, separator), problem: undefined };
  const quoted = splitQuoted(text, start, separator, isEnd);
  return typeof quoted === "string" ? bad(quoted) : quoted;
}

function plainFields(line: string, separator: Separator): string[] {
  if (separator === "blanks") {
    const trimmed = line.trim();
    return trimmed === "" ? [""] : trimmed.split(/[ \t]+/);
  }
  const fields = line.split(separator);
  for (let at = 0; at < fields.length; at++) {
    const field = fields[at]!;
    // Most fields have no blanks around them: the test is cheaper than a new string.
    if (field.length > 0 && (isBlank(field.charCodeAt(0)) || isBlank(field.charCodeAt(field.length - 1))))
      fields[at] = field.trim();
  }
  return fields;
}

function splitQuoted(
  text: string,
  start: number,
  separator: Separator,
  isEnd: boolean,
): SplitLine | string | undefined {
  const fields: string[] = [];
  let lines = 1;
  let at = start;
  for (;;) {
    at = skipBlanks(text, at, separator);
    if (text[at] === '"') {
      const close = closingQuote(text, at);
      const isMissing = close === undefined || close - at > quotedCharactersMax;
      if (isMissing) return isEnd || text.length - at > quotedCharactersMax ? openQuote : undefined;
      if (close + 1 === text.length && !isEnd) return undefined;
      const value = text.slice(at + 1, close).replaceAll('""', '"');
      for (let from = value.indexOf("\n"); from >= 0; from = value.indexOf("\n", from + 1)) lines += 1;
      fields.push(value.trim());
      at = skipBlanks(text, close + 1, separator);
      if (separator === "blanks" && at > close + 1 && at < text.length && text[at] !== "\n") continue;
      if (at < text.length && text[at] !== separator && text[at] !== "\n") return textAfterQuote;
    } else {
      const fieldEnd = nextOf(text, at, separator);
      if (separator !== "blanks" || fieldEnd > at) fields.push(text.slice(at, fieldEnd).trim());
      at = fieldEnd;
      if (separator === "blanks" && at < text.length && text[at] !== "\n") continue;
    }
    if (at < text.length && text[at] !== "\n") {
      at += 1;
      continue;
    }
    // The row's last line must be complete.
    if (at >= text.length && !isEnd) return undefined;
    return { end: Math.min(at + 1, text.length), lines, fields, problem: undefined };
  }
}

/** Returns where the field that begins at that quote closes; undefined if it does not. */
function closingQuote(text: string, open: number): number | undefined {
  for (let at = text.indexOf('"', open + 1); at >= 0; at = text.indexOf('"', at + 2)) {
    if (text[at + 1] !== '"') return at;
  }
  return undefined;
}

function skipBlanks(text: string, start: number, separator: Separator): number {
  let at = start;
  while (isBlank(text.charCodeAt(at)) && text[at] !== separator) at += 1;
  return at;
}

/** A space, a tab or a carriage return. */
function isBlank(code: number): boolean {
  return code === 32 || code === 9 || code === 13;
}

/** Returns the next separator or line end, or the end of the text. */
function nextOf(text: string, start: number, separator: Separator): number {
  for (let at = start; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 10 || (separator === "blanks" ? isBlank(code) : text[at] === separator)) return at;
  }
  return text.length;
}
