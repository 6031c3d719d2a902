import type { Row } from "../formats/row.ts";

/** A column of the sample. */
export type SampleColumn = {
  readonly name: string;
  /** Its first non-empty texts, up to a limit. */
  readonly texts: readonly string[];
};

const textsMax = 2000;

/** Returns the columns of the readable rows, in order of appearance. */
export function columnsOf(rows: readonly Row[]): readonly SampleColumn[] {
  const columns = new Map<string, string[]>();
  for (const { names, cells, problem } of rows) {
    if (problem !== undefined) continue;
    for (const [at, name] of names.entries()) {
      let texts = columns.get(name);
      if (texts === undefined) {
        texts = [];
        columns.set(name, texts);
      }
      const text = cells[at]!;
      if (text !== "" && texts.length < textsMax) texts.push(text);
    }
  }
  return [...columns].map(([name, texts]) => ({ name, texts }));
}
