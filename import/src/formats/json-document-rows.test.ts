import fc from "fast-check";
import { expect, it } from "vitest";
import { createJsonDocumentReader } from "./json-document-rows.ts";
import { createJsonReader } from "./json-rows.ts";
import type { RowReader } from "./row.ts";

/** Each row as its names and cells, or its problem. */
function rowsOf(reader: RowReader, pieces: readonly string[]): string[] {
  return pieces
    .flatMap((piece, at) => reader.read(piece, at === pieces.length - 1))
    .map(({ names, cells, problem }) => problem ?? JSON.stringify([names, cells]));
}

function cut(text: string, at: readonly number[]): string[] {
  const places = [0, ...at.map((place) => place % (text.length + 1)), text.length].sort((a, b) => a - b);
  return places.slice(1).map((end, index) => text.slice(places[index], end));
}

const someObject = fc.dictionary(
  fc.string(),
  fc.oneof(fc.string(), fc.double(), fc.constant(null), fc.object({ maxDepth: 2 })),
);

it("reads the same rows from a document as from an object a line, wherever the pieces are cut", () => {
  fc.assert(
    fc.property(
      fc.array(someObject, { minLength: 1, maxLength: 5 }),
      fc.constantFrom("array", "nested", "member"),
      fc.constantFrom(0, 2),
      fc.array(fc.nat(), { maxLength: 4 }),
      (objects, shape, indent, places) => {
        const expected = rowsOf(
          createJsonReader(),
          objects.map((object) => `${JSON.stringify(object)}\n`),
        );
        const root = { array: objects, nested: [objects, []], member: { about: { a: [1] }, rows: objects } }[
          shape
        ];
        const text = JSON.stringify(root, null, indent);
        expect(rowsOf(createJsonDocumentReader(), cut(text, places))).toEqual(expected);
      },
    ),
    { numRuns: 2000 },
  );
});

it("never throws, for any text", () => {
  const part = fc.constantFrom("[", "]", "{", "}", '"', "\\", ",", ":", "1", "a", "\n");
  fc.assert(
    fc.property(fc.array(part, { maxLength: 60 }), fc.array(fc.nat(), { maxLength: 3 }), (parts, places) => {
      const text = parts.join("");
      const whole = rowsOf(createJsonDocumentReader(), [text]);
      expect(rowsOf(createJsonDocumentReader(), cut(text, places))).toEqual(whole);
    }),
    { numRuns: 20_000 },
  );
});

it("keeps no more of an object than a row may have", () => {
  const long = JSON.stringify({ text: "x".repeat(100_000) });
  expect(rowsOf(createJsonDocumentReader(), [`[${long},{"a":1}]`])).toEqual([
    "the object is longer than 65536 characters",
    '[["a"],["1"]]',
  ]);
  expect(rowsOf(createJsonDocumentReader(), ["[".repeat(1000)])).toEqual([
    "brackets are nested more than 100 deep: the file is not read from here on",
  ]);
});
