import { type LinePrecision, readLineRecord } from "@devicemesh/kit/line-protocol/line-protocol";

/** The kind of text of a recording. */
export type FileFormat =
  | { readonly kind: "table" }
  | { readonly kind: "annotated-csv" }
  | { readonly kind: "json-lines" }
  /** One array or object, on any number of lines. */
  | { readonly kind: "json-document" }
  | { readonly kind: "line-protocol"; readonly precision: LinePrecision }
  /** The file is empty or unreadable: the reason, and the solution. */
  | { readonly kind: "unreadable"; readonly problem: string };

const linesInspected = 50;

/** Detects the format of a text from its beginning; its file name is ignored. */
export function formatOf(sample: string): FileFormat {
  const lines = sample
    .split("\n", linesInspected + 1)
    .map((line) => line.trim())
    .filter((line) => line !== "");
  const [first] = lines;
  if (first === undefined) return { kind: "unreadable", problem: "the file is empty" };
  if (sample.includes("\u0000")) return { kind: "unreadable", problem: binaryProblem(sample) };
  if (first.startsWith("<")) return { kind: "unreadable", problem: markupProblem(first) };
  if (/^[[{]/.test(first)) return jsonOf(lines);
  if (/^#(group|datatype|default)\b|^,result,table,/.test(first)) return { kind: "annotated-csv" };
  return lineProtocolOf(lines) ?? { kind: "table" };
}

/** Distinguishes an object a line from one document: an array, an object over several lines, one with an array. */
function jsonOf(lines: readonly string[]): FileFormat {
  const [first = ""] = lines;
  // A device's own log in brackets, such as `[2024-01-13 00:00:00] info`, is no JSON.
  if (first.startsWith("[") && !/^\[\s*(?:$|[[{\]])/.test(first)) return { kind: "table" };
  if (lines.some((line) => /"resultType"\s*:\s*"matrix"/.test(line)))
    return { kind: "unreadable", problem: prometheusProblem };
  if (lines.some((line) => /"(?:time|timestamp|date)s?"\s*:\s*\[/i.test(line)))
    return {
      kind: "unreadable",
      problem: "the file has an array for each column: write an object for each row",
    };
  const objects = lines.filter((line) => line.startsWith("{") && line.endsWith("}")).length;
  if (first.startsWith("[") || objects === 0) return { kind: "json-document" };
  return lines.length === 1 && hasRows(first) ? { kind: "json-document" } : { kind: "json-lines" };
}

const prometheusProblem =
  "the file is an answer of Prometheus: write a value a line (jq -c '.data.result[] | .metric as $m | .values[] | $m + {timestamp: .[0], value: .[1]}')";

/** Whether an object has an array of objects as a member. */
function hasRows(text: string): boolean {
  try {
    const members = Object.values(JSON.parse(text) as object);
    return members.some((member) => Array.isArray(member) && typeof member[0] === "object");
  } catch {
    return false;
  }
}

function markupProblem(first: string): string {
  return /^<(?:!doctype html|html)/i.test(first)
    ? "the file is a web page, maybe one that asks to log in: download the data itself"
    : "the file is XML: write its values as CSV, or as JSON with an object a line";
}

function binaryProblem(sample: string): string {
  const known: readonly (readonly [start: string, text: string])[] = [
    ["PK", "the file is a ZIP archive or a spreadsheet: unpack it, or save the sheet as CSV"],
    ["PAR1", "the file is Parquet: write it as CSV"],
    ["SQLite", "the file is a SQLite database: write the table as CSV"],
  ];
  return known.find(([start]) => sample.startsWith(start))?.[1] ?? "the file is not text";
}

/** Detects line protocol by the majority of lines, and the unit of its timestamps by dates between 2000 and 2099. */
function lineProtocolOf(lines: readonly string[]): FileFormat | undefined {
  const records = lines.filter((line) => !line.startsWith("#"));
  const stamps: string[] = [];
  let points = 0;
  for (const text of records) {
    const record = readLineRecord(text, 0, { precision: "s", isLast: true });
    // The largest counts do not fit as seconds: they are whole numbers instead of a point.
    const stamp = / (-?\d{5,19})$/.exec(text)?.[1];
    if (stamp !== undefined) stamps.push(stamp);
    if (record.kind === "point" || (stamp !== undefined && readsWithoutStamp(text))) points += 1;
  }
  if (records.length === 0 || points < records.length * 0.6) return undefined;
  const precision = precisions.find(([, from, to]) =>
    stamps.some((stamp) => Number(stamp) >= from && Number(stamp) < to),
  );
  return { kind: "line-protocol", precision: precision?.[0] ?? "ns" };
}

function readsWithoutStamp(text: string): boolean {
  const record = readLineRecord(text.replace(/ -?\d+$/, ""), 0, { precision: "ns", isLast: true });
  return record.kind === "point";
}

const [from, to] = [Date.UTC(2000, 0, 1) / 1000, Date.UTC(2100, 0, 1) / 1000];
const precisions: readonly (readonly [LinePrecision, number, number])[] = [
  ["s", from, to],
  ["ms", from * 1e3, to * 1e3],
  ["us", from * 1e6, to * 1e6],
  ["ns", from * 1e9, to * 1e9],
];
