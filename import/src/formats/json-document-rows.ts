import { rowCharactersMax } from "../limits.ts";
import { objectRow } from "./json-rows.ts";
import { createNamesCache, type Row, type RowReader } from "./row.ts";

/**
 * Reads the rows of JSON that is not an object a line: the objects of an array (`[{…}, …]`, `[[{…}], …]`), or those of
 * the arrays that are members of an object (`{"feeds": [{…}, …]}`). An object without such an array is one row.
 */
export function createJsonDocumentReader(): RowReader {
  const shared = createNamesCache();
  /** The text from the beginning of the row that is read, or of the object outside of all rows. */
  let kept = "";
  let keptLine = 1;
  let line = 1;
  /** The brackets that are open. */
  let open = "";
  /** Their number at the beginning of the row; 0 outside of rows. */
  let rowDepth = 0;
  let inString = false;
  let escaped = false;
  let isTooLong = false;
  let hasRows = false;
  let isTooDeep = false;

  const bad = (at: number, problem: string): Row => ({ line: at, names: [], cells: [], problem });

  function finish(rows: Row[]): void {
    hasRows = true;
    if (isTooLong) rows.push(bad(keptLine, `the object is longer than ${rowCharactersMax} characters`));
    else rows.push(objectRow(kept, keptLine, shared) ?? bad(keptLine, "the object is not JSON"));
  }

  /** Keeps a part of the text, within the limit of a row. */
  function keep(text: string): void {
    if (isTooLong) return;
    kept += text;
    if (kept.length <= rowCharactersMax) return;
    isTooLong = true;
    kept = "";
  }

  /** Begins to keep text at a bracket that was just opened. */
  function begin(): void {
    kept = "";
    keptLine = line;
    isTooLong = false;
  }

  function read(text: string, isEnd: boolean): Row[] {
    const rows: Row[] = [];
    let from = 0;
    for (let at = 0; at < text.length && !isTooDeep; at++) {
      const code = text.charCodeAt(at);
      if (code === newline) line += 1;
      if (inString) {
        if (escaped) escaped = false;
        else if (code === backslash) escaped = true;
        else if (code === quote) inString = false;
      } else if (code === quote) inString = true;
      else if (code === brace || code === bracket) {
        const isRow = code === brace && rowDepth === 0 && rowParents.test(open);
        if (isRow || open === "") {
          begin();
          from = at;
          if (open === "") hasRows = false;
        }
        if (open.length === nestingMax) {
          rows.push(
            bad(line, `brackets are nested more than ${nestingMax} deep: the file is not read from here on`),
          );
          isTooDeep = true;
          open = "";
        } else open += text[at];
        if (isRow) rowDepth = open.length;
      } else if (code === closingBrace || code === closingBracket) {
        const isClosed = open.length === rowDepth;
        open = open.slice(0, -1);
        if (!isClosed && (open !== "" || hasRows)) continue;
        keep(text.slice(from, at + 1));
        from = at + 1;
        if (code === closingBrace) finish(rows);
        else if (kept.trim() !== "[]") rows.push(bad(keptLine, "the array holds no objects"));
        rowDepth = 0;
        begin();
      }
    }
    if (open !== "") keep(text.slice(from));
    if (isEnd && open !== "") {
      rows.push(bad(rowDepth > 0 ? keptLine : line, "the JSON ends before it is complete"));
      open = "";
    }
    return rows;
  }
  return { read };
}

const nestingMax = 100;

/** The open brackets around a row: arrays alone, or an object with an array. */
const rowParents = /^(?:\[+|\{\[)$/;

const newline = 10;
const quote = 34;
const backslash = 92;
const bracket = 91;
const closingBracket = 93;
const brace = 123;
const closingBrace = 125;
