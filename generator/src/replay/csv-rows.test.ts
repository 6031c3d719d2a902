import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { rowCharactersMax } from "../limits.ts";
import { type CsvRow, readCsvRows } from "./csv-rows.ts";

async function* chunksOf(bytes: Buffer, sizes: readonly number[]): AsyncGenerator<Buffer> {
  let at = 0;
  for (let turn = 0; at < bytes.length; turn++) {
    const size = sizes[turn % sizes.length]!;
    yield bytes.subarray(at, at + size);
    at += size;
  }
}

async function read(text: string, sizes: readonly number[] = [65_536]): Promise<CsvRow[]> {
  const rows: CsvRow[] = [];
  for await (const row of readCsvRows(chunksOf(Buffer.from(text), sizes))) rows.push(row);
  return rows;
}

const chunkSizes = fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 5 });
/** A field as it is meant, and one way to write it. */
const writtenField = fc
  .string({ unit: fc.constantFrom("a", "7", "é", "€", " ", ",", '"', "\n", "."), maxLength: 12 })
  .map((value) => value.trim())
  .map((value) => ({
    value,
    text: /[",\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value,
  }));

describe("the rows of a CSV file", () => {
  it("are what was written, with the line they begin on, however the file comes in chunks", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(writtenField, { minLength: 2, maxLength: 5 }), { maxLength: 10 }),
        chunkSizes,
        fc.constantFrom("\n", "\r\n"),
        fc.boolean(),
        async (rows, sizes, lineEnd, endsWithLineEnd) => {
          const texts = rows.map((row) => row.map(({ text }) => text).join(","));
          const text = texts.join(lineEnd) + (endsWithLineEnd ? lineEnd : "");
          const found = await read(text, sizes);
          let line = 1;
          const expected = rows.map((row, at) => {
            const fields = row.map(({ value }) => value);
            const here = line;
            line += texts[at]!.split("\n").length;
            return { kind: "fields", fields, line: here };
          });
          expect(found).toEqual(expected);
        },
      ),
    );
  });

  it("leave out empty lines and a byte order mark", async () => {
    expect(await read("\ufeffa,b\n\n  \r\nc,d\n")).toEqual([
      { kind: "fields", fields: ["a", "b"], line: 1 },
      { kind: "fields", fields: ["c", "d"], line: 4 },
    ]);
  });

  it("keep quotes inside a field that does not begin with one", async () => {
    expect(await read('a,5" pipe,b"c"d\n')).toEqual([
      { kind: "fields", fields: ["a", '5" pipe', 'b"c"d'], line: 1 },
    ]);
  });

  it("that cannot be split are problems of their own line only", async () => {
    const rows = await read('a,"b"x,c\nd,e\nf,"never closed,g\nh,i\n');
    expect(rows).toEqual([
      { kind: "problem", problem: "there is text behind a closing quote", line: 1 },
      { kind: "fields", fields: ["d", "e"], line: 2 },
      { kind: "problem", problem: "a quoted field does not end", line: 3 },
      { kind: "fields", fields: ["h", "i"], line: 4 },
    ]);
  });

  it("go on behind a quote that does not close within the bound, however the file comes in chunks", async () => {
    const good = Array.from({ length: 500 }, (_, at) => `row ${at},${at}`);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 9000 }), { minLength: 1 }), async (sizes) => {
        const rows = await read(['x,"open', ...good].join("\n"), sizes);
        expect(rows[0]).toEqual({ kind: "problem", problem: "a quoted field does not end", line: 1 });
        expect(rows.slice(1)).toEqual(
          good.map((text, at) => ({ kind: "fields", fields: text.split(","), line: at + 2 })),
        );
      }),
      { numRuns: 30 },
    );
  });

  it("that are too long take no memory and hide nothing behind them", async () => {
    const long = "7".repeat(5_000_000);
    const rows = await read(`a,b\n${long}\nc,d\n${"8".repeat(rowCharactersMax + 1)}\n${long}`);
    expect(rows.map((row) => (row.kind === "fields" ? row.fields.join() : row.problem))).toEqual([
      "a,b",
      "it is longer than 4096 characters",
      "c,d",
      "it is longer than 4096 characters",
      "it is longer than 4096 characters",
    ]);
    expect(rows.map(({ line }) => line)).toEqual([1, 2, 3, 4, 5]);
  });
});
