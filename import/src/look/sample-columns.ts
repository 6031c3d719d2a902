import type { Row } from "../formats/row.ts";

/** A column of the sample. */
export type SampleColumn = {
  readonly name: string;
  /** Its texts that are not empty, the first so many. */
  readonly texts: readonly string[];
};

const textsMax = 2000;

/** The columns of the rows that can be read, in the order in which they come. */
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
