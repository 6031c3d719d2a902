import type { KnownSensor } from "./sensor-lookup.ts";

/** A value of a sensor; `missing` if the device reports that it has none. */
export type ParsedValue =
  | { readonly kind: "value"; readonly value: number }
  | { readonly kind: "missing" }
  | { readonly kind: "problem"; readonly text: string };

/** Texts by which devices and home automation report that a sensor has no value now. */
const missingTexts = new Set(["", "unavailable", "unknown", "none", "null", "nan", "na", "n/a", "-"]);

/** Texts of a state. */
const states: Readonly<Record<string, number>> = {
  ...{ on: 1, true: 1, open: 1, opened: 1, detected: 1, home: 1, yes: 1, "1": 1 },
  ...{ off: 0, false: 0, closed: 0, clear: 0, not_home: 0, no: 0, "0": 0 },
};

const numberPattern = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;

/**
 * Reads a value from JSON or a text: a number, its decimal digits, or for a state of 0 and 1 also `on`, `off`, `true`,
 * `false`, `open` and `closed`. Other texts, such as `21,5` and `21.5 °C`, are problems. Pure.
 */
export function parseValue(raw: unknown, sensor: KnownSensor | undefined): ParsedValue {
  if (raw === null || raw === undefined) return { kind: "missing" };
  if (typeof raw === "boolean" && sensor?.isState) return { kind: "value", value: raw ? 1 : 0 };
  if (typeof raw === "number") {
    return Number.isFinite(raw) ? { kind: "value", value: raw } : { kind: "problem", text: "must be finite" };
  }
  if (typeof raw !== "string") return { kind: "problem", text: `must be a number, not ${shown(raw)}` };
  const word = raw.trim();
  const lower = word.toLowerCase();
  if (missingTexts.has(lower)) return { kind: "missing" };
  if (sensor?.isState && Object.hasOwn(states, lower)) return { kind: "value", value: states[lower]! };
  const value = numberPattern.test(word) ? Number(word) : Number.NaN;
  return Number.isFinite(value)
    ? { kind: "value", value }
    : { kind: "problem", text: `must be a number with a decimal point, not ${shown(raw)}` };
}

/** Returns a JSON value for a message: at most 60 characters. Lists and objects may be nested too deeply to be written. */
export function shown(raw: unknown): string {
  if (typeof raw === "object" && raw !== null) return Array.isArray(raw) ? "a list" : "an object";
  return (JSON.stringify(raw) ?? String(raw)).slice(0, 60);
}
