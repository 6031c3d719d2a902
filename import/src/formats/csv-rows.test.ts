import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createFieldReader, createTableReader } from "./csv-rows.ts";
import type { Separator } from "./split-line.ts";

/** Reads the lines of a text in pieces of that length. */
function linesOf(text: string, separator: Separator, pieceLength = text.length || 1) {
  const reader = createFieldReader(separator);
  const lines = [];
  for (let at = 0; at < text.length; at += pieceLength) {
    lines.push(...reader.read(text.slice(at, at + pieceLength), false));
  }
  return [...lines, ...reader.read("", true)];
}

const fieldsOf = (text: string, separator: Separator) => linesOf(text, separator).map(({ fields }) => fields);

describe("createFieldReader", () => {
  it("splits lines by each separator", () => {
    expect(fieldsOf('a, b ,"c,d"\r\n1,2,"3 ""x"""', ",")).toEqual([
      ["a", "b", "c,d"],
      ["1", "2", '3 "x"'],
    ]);
    expect(fieldsOf('a;"b;c";\n', ";")).toEqual([["a", "b;c", ""]]);
    expect(fieldsOf('a\t\t"b\tc"\n', "\t")).toEqual([["a", "", "b\tc"]]);
    expect(fieldsOf('  a   "b c"\td \n', "blanks")).toEqual([["a", "b c", "d"]]);
  });

  it("returns the line number of each row in the file", () => {
    expect(linesOf('a\n\n"b\nc",d\ne\n', ",").map(({ line }) => line)).toEqual([1, 3, 5]);
  });

  it("loses no line after an unclosed quote", () => {
    const lines = linesOf('a,"b\nc,d\n', ",");
    expect(lines).toMatchObject([
      { line: 1, problem: "a quoted field does not end" },
      { line: 2, fields: ["c", "d"] },
    ]);
    expect(linesOf('a,"b"x\nc\n', ",")).toMatchObject([
      { problem: expect.stringContaining("closing quote") },
      { line: 2 },
    ]);
  });

  it("reports a row that never ends as one problem, in constant memory", () => {
    const reader = createFieldReader(",");
    const problems = Array.from({ length: 40 }, () => reader.read("x".repeat(10_000), false)).flat();
    expect(problems).toHaveLength(1);
    expect(reader.read("end\nnext,row\n", false)).toEqual([
      { line: 2, fields: ["next", "row"], problem: undefined },
    ]);
  });

  it("reads written rows back, wherever the pieces are cut", () => {
    const field = fc.string({ unit: fc.constantFrom("a", "1", '"', ",", ";", "\n", " ", "é"), maxLength: 6 });
    const table = fc.array(fc.array(field, { minLength: 2, maxLength: 4 }), { maxLength: 6 });
    fc.assert(
      fc.property(
        table,
        fc.constantFrom<Separator>(",", ";"),
        fc.integer({ min: 1, max: 30 }),
        (rows, separator, piece) => {
          const text = rows
            .map((row) => row.map((value) => `"${value.replaceAll('"', '""')}"`).join(separator))
            .join("\n");
          const expected = rows.map((row) => row.map((value) => value.trim()));
          expect(linesOf(text, separator, piece).map(({ fields }) => fields)).toEqual(expected);
        },
      ),
      { numRuns: 3000 },
    );
  });

  it("finds the same lines in any text, wherever the pieces are cut", () => {
    const text = fc.string({ unit: fc.constantFrom("a", '"', ",", "\n", "\r", " "), maxLength: 60 });
    fc.assert(
      fc.property(
        text,
        fc.integer({ min: 1, max: 20 }),
        fc.constantFrom<Separator>(",", "blanks"),
        (all, piece, separator) => {
          expect(linesOf(all, separator, piece)).toEqual(linesOf(all, separator));
        },
      ),
      { numRuns: 5000 },
    );
  });
});

describe("createTableReader", () => {
  const names = ["a", "b"];
  const rowsOf = (text: string) =>
    createTableReader({ separator: ",", skippedLines: 1, names, header: names }).read(text, true);

  it("leaves out repeated headers, and rejects rows that do not fit", () => {
    expect(rowsOf("a,b\n1,2\na,b\n3\n4,5,6\n7,8,\n")).toEqual([
      { line: 2, names, cells: ["1", "2"], problem: undefined },
      { line: 4, names, cells: ["3"], problem: "the row has 1 fields, the header has 2" },
      { line: 5, names, cells: ["4", "5", "6"], problem: "the row has 3 fields, the header has 2" },
      { line: 6, names, cells: ["7", "8"], problem: undefined },
    ]);
  });
});
