import { isAlias, isMap, isScalar, isSeq, LineCounter, type Node, type Pair, parseDocument } from "yaml";
import { sensorNamePattern, valueMagnitudeMax } from "./bounds.ts";

/** The entry of a file for one sensor. Fields that it leaves out keep the values of the built-in catalog. */
export type SensorEntry = {
  readonly sensor: string;
  /** The line of the entry in the file, from 1. */
  readonly line: number;
  readonly unit?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly description?: string;
  readonly aliases?: readonly string[];
};

/** A problem of a file and its place. */
export type SensorFileProblem = {
  /** The line, from 1. */
  readonly line: number;
  /** The sensor; empty if the problem does not concern one sensor. */
  readonly sensor: string;
  /** The field; empty if the problem does not concern one field. */
  readonly field: string;
  /** The broken rule and the correction. */
  readonly text: string;
};

/** The contents of a file, or all its problems with the entries that have none. */
export type SensorFile =
  | { readonly kind: "entries"; readonly entries: readonly SensorEntry[] }
  | {
      readonly kind: "problems";
      readonly problems: readonly SensorFileProblem[];
      readonly entries: readonly SensorEntry[];
    };

/** The maximum number of sensors in a file. */
export const fileSensorsMax = 1000;

const textMax = { unit: 32, description: 200, alias: 64 } as const;
const fields = ["unit", "minimum", "maximum", "description", "aliases"] as const;
type Field = (typeof fields)[number];

/**
 * Reads a file of sensors, in YAML or JSON: `sensors: {NAME: {unit, minimum, maximum, description, aliases}}`.
 * Checks the form only; `mergeSensors` checks the entries against other catalogs.
 */
export function parseSensorFile(text: string): SensorFile {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true, version: "1.2" });
  const problems: SensorFileProblem[] = document.errors.map(({ pos, message }) => ({
    line: lines.linePos(pos[0]).line,
    sensor: "",
    field: "",
    text: message.split("\n")[0]?.replace(/ at line \d+, column \d+:?$/, "") ?? "it cannot be parsed",
  }));
  if (problems.length > 0) return { kind: "problems", problems, entries: [] };

  let at = { sensor: "", field: "", line: 1 };
  const problem = (text: string): undefined => void problems.push({ ...at, text });
  const lineOf = (node: unknown): number => {
    const start = (node as Node | null)?.range?.[0];
    return start === undefined ? at.line : lines.linePos(start).line;
  };

  function textOf(node: unknown, longest: number, example: string): string | undefined {
    const value = isScalar(node) ? node.value : undefined;
    if (typeof value === "string" && value !== "" && value.length <= longest && isPrintable.test(value)) {
      return value;
    }
    return problem(`must be a text of 1 to ${longest} characters, not ${shown(node)}: write ${example}`);
  }

  function numberOf(node: unknown): number | undefined {
    const value = isScalar(node) ? node.value : undefined;
    if (typeof value === "number" && Math.abs(value) <= valueMagnitudeMax) return value;
    return problem(
      `must be a number, not ${shown(node)}: write one in the sensor's unit, from -${valueMagnitudeMax} to ${valueMagnitudeMax}`,
    );
  }

  function aliasesOf(node: unknown): string[] | undefined {
    if (!isSeq(node)) return problem(`must be a list, not ${shown(node)}: write [first, second]`);
    return node.items.flatMap((item) => textOf(item, textMax.alias, "another name of the sensor") ?? []);
  }

  function fieldOf(field: Field, node: unknown): Partial<SensorEntry> {
    if (field === "aliases") return defined({ aliases: aliasesOf(node) });
    if (field === "unit")
      return defined({ unit: textOf(node, textMax.unit, 'a unit such as "°C", "1" if it has none') });
    if (field === "description")
      return defined({ description: textOf(node, textMax.description, "one sentence") });
    return defined({ [field]: numberOf(node) });
  }

  function entryOf({ key, value }: Pair): SensorEntry | undefined {
    const sensor = isScalar(key) ? String(key.value) : "";
    const line = lineOf(key);
    at = { sensor, field: "", line };
    if (!sensorNamePattern.test(sensor)) {
      return problem(
        "the name must have 1 to 64 characters of [A-Za-z0-9_.-], the first one alphanumeric or _",
      );
    }
    if (!isMap(value)) return problem(`must be a mapping: write {unit: …, minimum: …, maximum: …}`);
    let entry: SensorEntry = { sensor, line };
    for (const pair of value.items) {
      const name = isScalar(pair.key) ? String(pair.key.value) : "";
      at = { sensor, field: name, line: lineOf(pair.key) };
      const field = fields.find((each) => each === name);
      if (field === undefined) problem(`is not a field of a sensor: the fields are ${fields.join(", ")}`);
      else entry = { ...entry, ...fieldOf(field, pair.value) };
    }
    return entry;
  }

  const root = document.contents;
  const sensors = isMap(root) ? root.get("sensors", true) : undefined;
  if (isMap(root)) {
    for (const { key } of root.items) {
      at = { sensor: "", field: "", line: lineOf(key) };
      if (!isScalar(key) || key.value !== "sensors")
        problem(`only "sensors" may stand at the top, not ${shown(key)}`);
    }
  }
  at = { sensor: "", field: "", line: lineOf(sensors ?? root) };
  if (!isMap(sensors)) {
    problem(
      "the file must hold a mapping of sensors: write sensors: {NAME: {unit: …, minimum: …, maximum: …}}",
    );
    return { kind: "problems", problems, entries: [] };
  }
  if (sensors.items.length > fileSensorsMax) {
    problem(`a file has at most ${fileSensorsMax} sensors, not ${sensors.items.length}`);
    return { kind: "problems", problems, entries: [] };
  }
  const entries = sensors.items.flatMap((pair) => {
    const before = problems.length;
    const entry = entryOf(pair as Pair);
    return entry === undefined || problems.length > before ? [] : [entry];
  });
  return problems.length > 0 ? { kind: "problems", problems, entries } : { kind: "entries", entries };
}

/** Formats the problem as one line: its place, sensor and field, and the correction. */
export function problemText({ line, sensor, field, text }: SensorFileProblem): string {
  return `line ${line}: ${[sensor && `sensor ${sensor}`, field, text].filter((part) => part !== "").join(" ")}`;
}

/** Rejects control characters: they would break lines of logs and answers. */
const isPrintable = /^[^\p{Cc}\p{Cs}]+$/u;

function shown(node: unknown): string {
  if (isAlias(node)) return "an anchor";
  return isScalar(node)
    ? JSON.stringify(node.value)
    : isMap(node)
      ? "a mapping"
      : isSeq(node)
        ? "a list"
        : "nothing";
}

function defined<T extends object>(values: T): Partial<{ [K in keyof T]: NonNullable<T[K]> }> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as never;
}
