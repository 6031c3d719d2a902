import { rowCharactersMax } from "../limits.ts";
import { createNamesCache, type Row, type RowReader } from "./row.ts";

const depthMax = 4;

/**
 * Reads the rows of NDJSON: one object on each line. Nested objects become columns with dotted names; arrays are left
 * out; null is an empty cell.
 */
export function createJsonReader(): RowReader {
  const shared = createNamesCache();
  let rest = "";
  let line = 0;
  let skips = false;

  function rowOf(text: string): Row | undefined {
    line += 1;
    const trimmed = text.trim();
    if (skips || trimmed === "") {
      skips = false;
      return undefined;
    }
    const bad = (problem: string): Row => ({ line, names: [], cells: [], problem });
    if (trimmed.length > rowCharactersMax)
      return bad(`the line is longer than ${rowCharactersMax} characters`);
    return objectRow(trimmed, line, shared) ?? bad("the line is not JSON");
  }

  return {
    read(text, isEnd) {
      const data = rest + text;
      const lines = data.split("\n");
      rest = isEnd ? "" : lines.pop()!;
      const rows = lines.map(rowOf).filter((row) => row !== undefined);
      if (rest.length > rowCharactersMax && !skips) {
        rows.push({
          line: line + 1,
          names: [],
          cells: [],
          problem: `the line is longer than ${rowCharactersMax} characters`,
        });
        skips = true;
      }
      if (skips) rest = "";
      return rows;
    },
  };
}

/** The row of an object; undefined if the text is not JSON. */
export function objectRow(
  text: string,
  line: number,
  shared: (names: readonly string[]) => readonly string[],
): Row | undefined {
  const bad = (problem: string): Row => ({ line, names: [], cells: [], problem });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== "object" || value === null || Array.isArray(value))
    return bad("the line is no JSON object");
  const names: string[] = [];
  const cells: string[] = [];
  flatten(value, "", 1, names, cells);
  if (new Set(names).size < names.length) return bad("two members of the object have the same dotted name");
  return { line, names: shared(names), cells, problem: undefined };
}

function flatten(value: object, prefix: string, depth: number, names: string[], cells: string[]): void {
  for (const [key, member] of Object.entries(value)) {
    const name = prefix + key;
    if (typeof member === "object" && member !== null) {
      if (!Array.isArray(member) && depth < depthMax) flatten(member, `${name}.`, depth + 1, names, cells);
      continue;
    }
    names.push(name);
    cells.push(member === null ? "" : String(member).trim());
  }
}
