import type { Setting } from "./setting-schema.ts";

/** A value of any setting; undefined where it is absent. */
export type AnySettingValue = string | number | boolean | readonly string[] | undefined;

/** The result of parsing a setting: its value, or the problem of the text, to follow the setting's name. */
export type ParsedValue =
  | { readonly kind: "value"; readonly value: AnySettingValue }
  | { readonly kind: "problem"; readonly problem: string };

const durationUnits = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

const byteUnits = {
  B: 1,
  KB: 1000,
  MB: 1000 ** 2,
  GB: 1000 ** 3,
  TB: 1000 ** 4,
  KiB: 1024,
  MiB: 1024 ** 2,
  GiB: 1024 ** 3,
  TiB: 1024 ** 4,
} as const;

const booleanWords: Readonly<Record<string, boolean>> = {
  "1": true,
  true: true,
  yes: true,
  on: true,
  "0": false,
  false: false,
  no: false,
  off: false,
};

/** Parses the text that a user gave for a setting. A problem quotes it, or names it by `shownAs` if it is secret. */
export function parseSetting(setting: Setting, text: string, shownAs = quote(text)): ParsedValue {
  const trimmed = text.trim();
  if (trimmed === "") {
    // If nothing is the default, it cannot be requested explicitly.
    if (setting.kind === "string" && setting.default === "") return { kind: "value", value: "" };
    return problem("is empty");
  }
  if (
    setting.kind !== "boolean" &&
    setting.kind !== "string" &&
    setting.kind !== "strings" &&
    mayBeAbsent(setting) &&
    /^(off|none)$/i.test(trimmed)
  ) {
    return { kind: "value", value: undefined };
  }
  switch (setting.kind) {
    case "string":
      return parseString(setting, text, shownAs);
    case "strings":
      return { kind: "value", value: text.split("\n").filter((line) => line.trim() !== "") };
    case "boolean": {
      const value = booleanWords[trimmed.toLowerCase()];
      return value === undefined ? problem(`${shownAs} is not true or false`) : { kind: "value", value };
    }
    case "integer":
    case "number":
    case "duration":
    case "bytes": {
      const value = parseQuantity(setting.kind, trimmed);
      return value === undefined
        ? problem(`${shownAs} is not ${quantityNames[setting.kind]}`)
        : checkBounds(setting, value, shownAs);
    }
  }
}

/** Returns the value of a setting that is not set. */
export function defaultValue(setting: Setting): AnySettingValue {
  if (setting.kind === "boolean") {
    return setting.default ?? false;
  }
  if (setting.kind === "strings") return [];
  return setting.kind === "string" ? setting.default : asQuantity(setting, setting.default);
}

/** Formats a value like a user would write it: `10s`, `512MB`. */
export function formatSetting(setting: Setting, value: AnySettingValue): string {
  if (value === undefined) {
    return mayBeAbsent(setting) ? "none" : "";
  }
  if (typeof value === "object") return value.join("\n");
  if (typeof value === "number" && setting.kind === "duration") {
    return formatQuantity(value, durationUnits);
  }
  return typeof value === "number" && setting.kind === "bytes"
    ? formatQuantity(value, byteUnits)
    : String(value);
}

/** Whether the value may be undefined. */
export function mayBeAbsent(setting: Setting): boolean {
  if (setting.kind === "boolean" || setting.kind === "strings") {
    return false;
  }
  return setting.default === undefined || ("optional" in setting && setting.optional === true);
}

type QuantitySetting = Exclude<Setting, { kind: "string" | "strings" | "boolean" }>;

const quantityNames = {
  integer: "a whole number",
  number: "a number",
  duration: "a duration such as 10s, 500ms or 7d",
  bytes: "a size such as 512MB or 1GiB",
} as const;

function parseString(setting: Setting & { kind: "string" }, text: string, shownAs: string): ParsedValue {
  return setting.choices === undefined || setting.choices.includes(text)
    ? { kind: "value", value: text }
    : problem(`${shownAs} is not one of ${setting.choices.join(", ")}`);
}

function parseQuantity(kind: QuantitySetting["kind"], text: string): number | undefined {
  switch (kind) {
    case "integer":
      return /^[+-]?\d+$/.test(text) ? finite(Number(text), Number.isSafeInteger) : undefined;
    case "number":
      return /^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i.test(text) ? finite(Number(text)) : undefined;
    case "duration":
      return parseWithUnit(text, durationUnits);
    case "bytes":
      return parseWithUnit(text, byteUnits);
  }
}

function parseWithUnit(text: string, units: Readonly<Record<string, number>>): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*([a-z]+)$/i.exec(text);
  const unit = Object.entries(units).find(([name]) => name.toLowerCase() === match?.[2]?.toLowerCase());
  if (match === null || unit === undefined) {
    return text === "0" ? 0 : undefined;
  }
  // Fractions of a millisecond or of a byte do not exist: 1.5s is valid, 1.5ms is not.
  return finite(Number(match[1]) * unit[1], Number.isSafeInteger);
}

function finite(value: number, isRight: (value: number) => boolean = Number.isFinite): number | undefined {
  return isRight(value) ? value : undefined;
}

function checkBounds(setting: QuantitySetting, value: number, shownAs: string): ParsedValue {
  const minimum = asQuantity(setting, setting.minimum);
  const maximum = asQuantity(setting, setting.maximum);
  if (minimum !== undefined && value < minimum) {
    return problem(`${shownAs} is less than ${formatSetting(setting, minimum)}`);
  }
  if (maximum !== undefined && value > maximum) {
    return problem(`${shownAs} is more than ${formatSetting(setting, maximum)}`);
  }
  return { kind: "value", value };
}

/** A default or a bound as a number. */
function asQuantity(setting: QuantitySetting, given: number | string | undefined): number | undefined {
  if (typeof given !== "string") {
    return given;
  }
  const value = parseQuantity(setting.kind, given);
  if (value === undefined) {
    throw new Error(`${setting.flag}: ${quote(given)} is not ${quantityNames[setting.kind]}`);
  }
  return value;
}

/** Returns the largest unit of which the value is a whole number; of two, the one with the shorter number. */
function formatQuantity(value: number, units: Readonly<Record<string, number>>): string {
  const written = Object.entries(units)
    .filter(([, factor]) => value % factor === 0)
    .map(([name, factor]) => ({ text: `${value / factor}${name}`, count: value / factor }));
  return value === 0 ? "0" : written.reduce((best, next) => (next.count < best.count ? next : best)).text;
}

function quote(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}

function problem(text: string): ParsedValue {
  return { kind: "problem", problem: text };
}
