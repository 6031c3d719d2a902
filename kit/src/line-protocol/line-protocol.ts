/** The precision of line protocol's timestamps: nanoseconds, microseconds, milliseconds, seconds, minutes, hours. */
export type LinePrecision = "ns" | "us" | "ms" | "s" | "m" | "h";

/** A field's value. Numbers are IEEE doubles, whatever their notation: `1`, `1i` or `1u`. */
export type LineField =
  | { readonly key: string; readonly kind: "number"; readonly value: number }
  | { readonly key: string; readonly kind: "boolean"; readonly value: boolean }
  | { readonly key: string; readonly kind: "string"; readonly value: string };

/** One record of line protocol. */
export type LinePoint = {
  /** The line on which it begins, from 1. */
  readonly line: number;
  readonly measurement: string;
  /** In the order of the text; keys are unique. */
  readonly tags: readonly { readonly key: string; readonly value: string }[];
  /** At least one, in the order of the text; keys are unique. */
  readonly fields: readonly LineField[];
  /** Milliseconds since 1970, smaller digits truncated towards the past; undefined if the record has no timestamp. */
  readonly timestampMs: number | undefined;
};

/** The problem of a line, which is skipped. */
export type LineProblem = {
  /** From 1. */
  readonly line: number;
  /** From 1, in UTF-16 code units. */
  readonly column: number;
  readonly text: string;
};

/** The result for one record; `next` is the start of the following one. */
export type LineRecord =
  | { readonly kind: "point"; readonly point: Omit<LinePoint, "line">; readonly next: number }
  | { readonly kind: "nothing"; readonly next: number }
  | { readonly kind: "problem"; readonly at: number; readonly text: string; readonly next: number }
  /** The text may continue in the middle of this record. */
  | { readonly kind: "incomplete" };

/** Returns the precision of a name, in the spelling of both versions of the write API; undefined for an unknown one. */
export function linePrecisionOf(name: string): LinePrecision | undefined {
  return Object.hasOwn(precisionNames, name) ? precisionNames[name] : undefined;
}

const precisionNames: Readonly<Record<string, LinePrecision>> = {
  ns: "ns",
  n: "ns",
  us: "us",
  u: "us",
  µ: "us",
  µs: "us",
  ms: "ms",
  s: "s",
  m: "m",
  h: "h",
};

/**
 * Reads the record of InfluxDB line protocol that begins at `start`: `measurement,tag=a field=1,other="b" 1700000000`.
 * A quoted string may contain newlines; if such a record is malformed, only its first line is skipped. `isLast` means
 * that no text follows. Pure.
 */
export function readLineRecord(
  text: string,
  start: number,
  { precision, isLast }: { readonly precision: LinePrecision; readonly isLast: boolean },
): LineRecord {
  const lineEnd = text.indexOf("\n", start);
  if (lineEnd === -1 && !isLast) return { kind: "incomplete" };
  const next = lineEnd === -1 ? text.length : lineEnd + 1;
  const scan: Scan = { text, at: start, problem: undefined };
  skipBlanks(scan);
  if (isLineEnd(scan) || text[scan.at] === "#") return { kind: "nothing", next };
  const point = readPoint(scan, precision);
  // After a newline in a string the text may end anywhere in the record.
  if (!isLast && scan.at >= text.length) return { kind: "incomplete" };
  if (point !== undefined) return { kind: "point", point, next: Math.min(scan.at + 1, text.length) };
  const { at, message, isUnclosed } = scan.problem!;
  if (isUnclosed && !isLast) return { kind: "incomplete" };
  return { kind: "problem", at, text: message, next };
}

type Scan = {
  readonly text: string;
  at: number;
  problem: { readonly at: number; readonly message: string; readonly isUnclosed: boolean } | undefined;
};

function fail(scan: Scan, message: string, at = scan.at, isUnclosed = false): undefined {
  scan.problem = { at, message, isUnclosed };
}

function readPoint(scan: Scan, precision: LinePrecision): Omit<LinePoint, "line"> | undefined {
  const measurement = readName(scan, comma | space);
  if (measurement === "") return fail(scan, "the measurement's name is missing");
  const tags = readTags(scan);
  if (tags === undefined) return undefined;
  if (!skipBlanks(scan)) return fail(scan, "fields are missing: write a space and field=value");
  const fields = readFields(scan);
  if (fields === undefined) return undefined;
  skipBlanks(scan);
  if (isLineEnd(scan)) return ended(scan, { measurement, tags, fields, timestampMs: undefined });
  const timestampMs = readTimestamp(scan, precision);
  if (timestampMs === undefined) return undefined;
  skipBlanks(scan);
  if (isLineEnd(scan)) return ended(scan, { measurement, tags, fields, timestampMs });
  return fail(scan, "the line must end after the timestamp");
}

/** Moves to the newline, past a carriage return. */
function ended<T>(scan: Scan, point: T): T {
  if (scan.text[scan.at] === "\r") scan.at += 1;
  return point;
}

function readTags(scan: Scan): LinePoint["tags"] | undefined {
  const tags: { key: string; value: string }[] = [];
  const keys = new Set<string>();
  while (scan.text[scan.at] === ",") {
    scan.at += 1;
    const begin = scan.at;
    const key = readName(scan, comma | space | equals);
    if (key === "") return fail(scan, "a tag's name is missing", begin);
    if (scan.text[scan.at] !== "=") return fail(scan, `the tag ${quoted(key)} has no value`, begin);
    scan.at += 1;
    const value = readName(scan, comma | space | equals);
    if (scan.text[scan.at] === "=") return fail(scan, "an = in a tag's value needs a backslash before it");
    if (value === "") return fail(scan, `the tag ${quoted(key)} has no value`, begin);
    if (keys.size === keys.add(key).size) return fail(scan, `the tag ${quoted(key)} is there twice`, begin);
    tags.push({ key, value });
  }
  return tags;
}

function readFields(scan: Scan): LineField[] | undefined {
  const fields: LineField[] = [];
  const keys = new Set<string>();
  for (;;) {
    const begin = scan.at;
    const key = readName(scan, comma | space | equals);
    if (key === "") return fail(scan, "a field's name is missing", begin);
    if (scan.text[scan.at] !== "=") return fail(scan, `the field ${quoted(key)} has no value`, begin);
    scan.at += 1;
    const field = scan.text[scan.at] === '"' ? readText(scan, key) : readPlain(scan, key);
    if (field === undefined) return undefined;
    if (keys.size === keys.add(key).size) return fail(scan, `the field ${quoted(key)} is there twice`, begin);
    fields.push(field);
    if (scan.text[scan.at] !== ",") break;
    scan.at += 1;
  }
  const after = scan.text[scan.at];
  if (after === " " || after === "\t" || isLineEnd(scan)) return fields;
  return fail(scan, "a comma, a space or the end of the line must follow a field's value");
}

/** Reads a string in quotes; a backslash escapes a quote and itself. */
function readText(scan: Scan, key: string): LineField | undefined {
  const { text } = scan;
  const begin = scan.at;
  let value = "";
  let from = begin + 1;
  for (let at = from; at < text.length; at++) {
    const character = text[at];
    if (character === '"') {
      scan.at = at + 1;
      return { key, kind: "string", value: value + text.slice(from, at) };
    }
    if (character === "\\" && (text[at + 1] === '"' || text[at + 1] === "\\")) {
      value += text.slice(from, at);
      from = at + 1;
      at += 1;
    }
  }
  return fail(scan, `the quote of the field ${quoted(key)} is not closed`, begin, true);
}

const numberPattern = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
const integerPattern = /^(?:-?\d+i|\d+u)$/;
const booleans: Readonly<Record<string, boolean>> = {
  ...{ t: true, T: true, true: true, True: true, TRUE: true },
  ...{ f: false, F: false, false: false, False: false, FALSE: false },
};

function readPlain(scan: Scan, key: string): LineField | undefined {
  const begin = scan.at;
  let at = begin;
  while (at < scan.text.length && !isOneOf(scan.text.charCodeAt(at), comma | space)) at += 1;
  scan.at = at;
  const word = scan.text.slice(begin, at);
  if (Object.hasOwn(booleans, word)) return { key, kind: "boolean", value: booleans[word]! };
  const value = numberPattern.test(word)
    ? Number(word)
    : integerPattern.test(word)
      ? Number(word.slice(0, -1))
      : Number.NaN;
  if (Number.isFinite(value)) return { key, kind: "number", value };
  const problem =
    word === ""
      ? "has no value"
      : `is neither a finite number nor true, false or a "string": ${quoted(word)}`;
  return fail(scan, `the field ${quoted(key)} ${problem}`, begin);
}

const millisecondsOf = { s: 1000, m: 60_000, h: 3_600_000 } as const;
const digitsBelowMs = { ns: 6, us: 3, ms: 0 } as const;
/** The largest number of milliseconds of a Date. */
const timestampMaxMs = 8.64e15;

function readTimestamp(scan: Scan, precision: LinePrecision): number | undefined {
  const begin = scan.at;
  while (scan.at < scan.text.length && !isOneOf(scan.text.charCodeAt(scan.at), space)) scan.at += 1;
  const word = scan.text.slice(begin, scan.at);
  if (!/^-?\d{1,19}$/.test(word))
    return fail(scan, `the timestamp must be an integer: ${quoted(word)}`, begin);
  const ms =
    precision === "s" || precision === "m" || precision === "h"
      ? Number(word) * millisecondsOf[precision]
      : Number(BigInt(word) / 10n ** BigInt(digitsBelowMs[precision]));
  const cut = precision === "ns" || precision === "us" ? isCut(word, digitsBelowMs[precision]) : false;
  const floor = word.startsWith("-") && cut ? ms - 1 : ms;
  return Math.abs(floor) <= timestampMaxMs
    ? floor
    : fail(scan, `the timestamp ${word} is out of range for the precision ${precision}`, begin);
}

/** Whether the last digits are not all 0. */
function isCut(word: string, digits: number): boolean {
  return /[1-9]/.test(word.slice(-digits));
}

// The characters that end a name, as bits; the end of a line always does.
const comma = 1;
const space = 2;
const equals = 4;

function isOneOf(code: number, enders: number): boolean {
  switch (code) {
    case 0x2c:
      return (enders & comma) !== 0;
    case 0x20:
    case 0x09:
      return (enders & space) !== 0;
    case 0x3d:
      return (enders & equals) !== 0;
    default:
      return code === 0x0a || code === 0x0d;
  }
}

/**
 * Reads a name up to one of the enders. A backslash escapes a comma, a space and an equals sign, and is literal
 * otherwise.
 */
function readName(scan: Scan, enders: number): string {
  const { text } = scan;
  let name = "";
  let from = scan.at;
  let at = from;
  for (; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x5c) {
      const escaped = text.charCodeAt(at + 1);
      if (escaped !== 0x2c && escaped !== 0x20 && escaped !== 0x3d) continue;
      name += text.slice(from, at);
      from = at + 1;
      at += 1;
    } else if (isOneOf(code, enders)) break;
  }
  scan.at = at;
  return name + text.slice(from, at);
}

/** Returns whether there were any. */
function skipBlanks(scan: Scan): boolean {
  const begin = scan.at;
  while (scan.text[scan.at] === " " || scan.text[scan.at] === "\t") scan.at += 1;
  return scan.at > begin;
}

function isLineEnd({ text, at }: Scan): boolean {
  return (
    at >= text.length ||
    text[at] === "\n" ||
    (text[at] === "\r" && (at + 1 >= text.length || text[at + 1] === "\n"))
  );
}

function quoted(word: string): string {
  return JSON.stringify(word.length > 60 ? `${word.slice(0, 60)}…` : word);
}
