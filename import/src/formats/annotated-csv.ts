import { createFieldReader } from "./csv-rows.ts";
import { createNamesCache, type Row, type RowReader } from "./row.ts";

/**
 * Reads the rows of InfluxDB's annotated CSV: tables one after the other, each with annotations (`#datatype`, `#group`,
 * `#default`) and a header of its own. An empty cell has the table's default.
 */
export function createAnnotatedReader(): RowReader {
  const lines = createFieldReader(",", true);
  const shared = createNamesCache();
  let names: readonly string[] | undefined;
  let defaults: readonly string[] = [];
  let isAnnotated = false;

  function annotation(fields: readonly string[]): void {
    // The first one begins a table.
    if (!isAnnotated) defaults = [];
    isAnnotated = true;
    names = undefined;
    if (fields[0] === "#default") defaults = fields.slice(1);
  }

  function rowOf(line: number, fields: readonly string[], columns: readonly string[]): Row {
    if (fields.length !== columns.length) {
      const problem = `the row has ${fields.length} fields, the header has ${columns.length}`;
      return { line, names: columns, cells: fields, problem };
    }
    const cells = fields.map((cell, at) => (cell === "" ? (defaults[at - 1] ?? "") : cell));
    return { line, names: columns, cells, problem: undefined };
  }

  return {
    read(text, isEnd) {
      const rows: Row[] = [];
      for (const { line, fields, problem } of lines.read(text, isEnd)) {
        if (problem !== undefined) rows.push({ line, names: names ?? [], cells: fields, problem });
        else if (fields[0]?.startsWith("#")) annotation(fields);
        else if (fields.every((field) => field === "")) {
          // Between two tables: without annotations the next line is a header.
          names = undefined;
          isAnnotated = false;
        } else if (names === undefined) {
          names = shared(fields);
          isAnnotated = false;
        } else rows.push(rowOf(line, fields, names));
      }
      return rows;
    },
  };
}
