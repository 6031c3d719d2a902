import * as fc from "fast-check";
import { expect, it } from "vitest";
import { type LinePoint, type LinePrecision, type LineProblem, linePrecisionOf } from "./line-protocol.ts";
import { createLineProtocolReader } from "./line-protocol-reader.ts";

function readAll(
  pieces: readonly string[],
  options: { precision?: LinePrecision; recordCharactersMax?: number } = {},
) {
  const points: LinePoint[] = [];
  const problems: LineProblem[] = [];
  const reader = createLineProtocolReader({
    ...options,
    onPoint: (point) => points.push(point),
    onProblem: (problem) => problems.push(problem),
  });
  for (const piece of pieces) reader.push(piece);
  reader.end();
  return { points, problems };
}

it("reads measurement, tags, fields of every kind and the timestamp", () => {
  const text =
    'air,place=a\\ b,host=x\\,y\\=z t=21.5,n=3i,u=4u,on=T,off=false,note="a \\"b\\" \\\\ c=d, e" 1680033862123456789\n';
  expect(readAll([text])).toEqual({
    problems: [],
    points: [
      {
        line: 1,
        measurement: "air",
        tags: [
          { key: "place", value: "a b" },
          { key: "host", value: "x,y=z" },
        ],
        fields: [
          { key: "t", kind: "number", value: 21.5 },
          { key: "n", kind: "number", value: 3 },
          { key: "u", kind: "number", value: 4 },
          { key: "on", kind: "boolean", value: true },
          { key: "off", kind: "boolean", value: false },
          { key: "note", kind: "string", value: 'a "b" \\ c=d, e' },
        ],
        timestampMs: 1680033862123,
      },
    ],
  });
});

it.each([
  ["ns", "1680033862123999999", 1680033862123],
  ["us", "1680033862123999", 1680033862123],
  ["ms", "1680033862123", 1680033862123],
  ["s", "1680033862", 1680033862000],
  ["m", "28000564", 1680033840000],
  ["h", "466676", 1680033600000],
  ["ns", "-1", -1],
  ["us", "-1000", -1],
] as const)("counts a timestamp in %s: %s", (precision, digits, expected) => {
  expect(readAll([`m f=1 ${digits}`], { precision }).points[0]?.timestampMs).toBe(expected);
});

it("accepts the names of precisions in both versions of the API", () => {
  expect(["ns", "n", "us", "u", "ms", "s", "m", "h", "", "d", "toString"].map(linePrecisionOf)).toEqual([
    "ns",
    "ns",
    "us",
    "us",
    "ms",
    "s",
    "m",
    "h",
    undefined,
    undefined,
    undefined,
  ]);
});

it("skips comments, blank lines and carriage returns, and counts lines", () => {
  const { points, problems } = readAll(["# a comment\r\n\r\n  \nm f=1\r\n\tm f=2 5 \r\n"]);
  expect(problems).toEqual([]);
  expect(points.map(({ line, timestampMs }) => [line, timestampMs])).toEqual([
    [4, undefined],
    [5, 0],
  ]);
});

it.each([
  ["m", 1, 2, "fields are missing"],
  [",a=b f=1", 1, 1, "measurement"],
  ["m,a f=1", 1, 3, '"a" has no value'],
  ["m,a= f=1", 1, 3, '"a" has no value'],
  ["m,a=1,a=2 f=1", 1, 7, "twice"],
  ["m,a=b=c f=1", 1, 6, "backslash"],
  ["m f", 1, 3, '"f" has no value'],
  ["m f=", 1, 5, '"f" has no value'],
  ["m f=1,f=2", 1, 7, "twice"],
  ["m f=abc", 1, 5, '"abc"'],
  ["m f=NaN", 1, 5, "finite"],
  ["m f=1e999", 1, 5, "finite"],
  ["m f=0x10", 1, 5, "finite"],
  ["m f=-1u", 1, 5, "finite"],
  ["m f=1.5i", 1, 5, "finite"],
  ['m f="a"b', 1, 8, "must follow"],
  ['m f="a', 1, 5, "not closed"],
  ["m f=1 12:00", 1, 7, "integer"],
  ["m f=1 1 2", 1, 9, "must end"],
  ["m f=1 9999999999999999999", 1, 7, undefined],
] as const)("rejects %j and names the place", (text, line, column, words) => {
  const { points, problems } = readAll([`${text}\nm ok=1\n`], {
    precision: words === undefined ? "s" : "ns",
  });
  expect(points.map((point) => point.fields[0]?.key)).toEqual(["ok"]);
  expect(problems).toEqual([{ line, column, text: expect.stringContaining(words ?? "out of range") }]);
});

it("continues at the next line after an unclosed quote, wherever it seems to close", () => {
  const { points, problems } = readAll(['m f="oops 1\nm a=1\nm b="x" 5\nm c=2\n']);
  expect(problems.map(({ line, column }) => [line, column])).toEqual([[3, 6]].map(() => [3, 6]));
  expect(points.map((point) => point.fields[0]?.key)).toEqual(["a", "b", "c"]);
});

it("reports a record that is longer than the limit once, and continues", () => {
  const long = `m f="${"x".repeat(500)}"`;
  for (const pieces of [[`${long}\nm a=1\n`], [...`${long}\nm a=1\n`]]) {
    const { points, problems } = readAll(pieces, { recordCharactersMax: 100 });
    expect(points.map((point) => [point.line, point.fields[0]?.key])).toEqual([[2, "a"]]);
    expect(problems.map(({ line }) => line)).toEqual([1]);
  }
});

const name = fc.string({
  unit: fc.constantFrom("a", "B", "7", ",", "=", " ", "ü", '"', "🌡"),
  minLength: 1,
  maxLength: 6,
});
const tagsOf = fc.uniqueArray(fc.record({ key: name, value: name }), {
  selector: ({ key }) => key,
  maxLength: 3,
});
const field = fc.oneof(
  fc.record({
    key: name,
    kind: fc.constant("number" as const),
    value: fc.double({ noNaN: true, noDefaultInfinity: true }),
  }),
  fc.record({ key: name, kind: fc.constant("boolean" as const), value: fc.boolean() }),
  fc.record({
    key: name,
    kind: fc.constant("string" as const),
    value: fc.string({ unit: fc.constantFrom("a", '"', "\\", "\n", ",", "=", " ", "#") }),
  }),
);
const point = fc.record({
  measurement: name.filter((text) => !text.startsWith("#")),
  tags: tagsOf,
  fields: fc.uniqueArray(field, { selector: ({ key }) => key, minLength: 1, maxLength: 3 }),
  timestampMs: fc.option(fc.integer({ min: -1e12, max: 4e12 }), { nil: undefined }),
});
const escapedName = (text: string): string => text.replaceAll(/[,= ]/g, "\\$&");

function written({ measurement, tags, fields, timestampMs }: Omit<LinePoint, "line">): string {
  const head = [
    escapedName(measurement),
    ...tags.map(({ key, value }) => `${escapedName(key)}=${escapedName(value)}`),
  ];
  const values = fields.map(({ key, kind, value }) => {
    const text = kind === "string" ? `"${value.replaceAll(/["\\]/g, "\\$&")}"` : String(value);
    return `${escapedName(key)}=${text}`;
  });
  return `${head.join(",")} ${values.join(",")}${timestampMs === undefined ? "" : ` ${timestampMs}`}\n`;
}

it("reads written records, however the text is cut into pieces", () => {
  const cases = fc.tuple(fc.array(point, { maxLength: 4 }), fc.array(fc.nat(200), { maxLength: 5 }));
  fc.assert(
    fc.property(cases, ([points, cuts]) => {
      const text = points.map(written).join("");
      const places = [0, ...cuts.map((cut) => Math.min(cut, text.length)), text.length].sort((a, b) => a - b);
      const pieces = places.slice(1).map((place, index) => text.slice(places[index], place));
      const read = readAll(pieces, { precision: "ms" });
      expect(read.problems).toEqual([]);
      expect(read.points.map(({ line: _, ...rest }) => rest)).toEqual(points);
    }),
  );
});

it("reports each line of any text once, and never throws", () => {
  const word = fc.constantFrom("m", "f", "=", "1", " ", ",", "\\", "#", "\r", "t", "-", "i", "e", "\t", "é");
  const textLine = fc
    .string({ unit: word, maxLength: 16 })
    .filter((text) => text.trim() !== "" && !text.trim().startsWith("#"));
  fc.assert(
    fc.property(fc.array(textLine, { maxLength: 4 }), (lines) => {
      const { points, problems } = readAll([lines.join("\n")]);
      expect([...points, ...problems].map(({ line }) => line).sort()).toEqual(
        lines.map((_, index) => index + 1),
      );
    }),
    { numRuns: 100_000 },
  );
});
