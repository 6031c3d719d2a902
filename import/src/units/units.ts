import { temperatureNames, unitLines } from "./unit-table.ts";

/** A known unit: its name in this table, and its quantity. */
export type Unit = { readonly name: string; readonly line: number; readonly size: number };

/** Converts a value from one unit to another. */
export type Conversion = (value: number) => number;

const temperatureLine = -1;
const exact = new Map<string, Unit>();
const folded = new Map<string, Unit | undefined>();
const sizes = new Map<Unit, readonly [number, number]>();

for (const [line, units] of unitLines.entries()) {
  for (const { names, size } of units) add({ name: names[0]!, line, size: size[0] / size[1] }, names, size);
}
for (const [name, names] of Object.entries(temperatureNames)) {
  add({ name, line: temperatureLine, size: 1 }, names.split("|"), [1, 1]);
}

function add(unit: Unit, names: readonly string[], size: readonly [number, number]): void {
  sizes.set(unit, size);
  for (const name of names) {
    exact.set(name, unit);
    const lower = name.toLowerCase();
    // mW and MW differ only in case: in lower case they are ambiguous.
    folded.set(lower, folded.has(lower) && folded.get(lower) !== unit ? undefined : unit);
  }
}

/** Returns the unit of that name, in any of its spellings; undefined if it is unknown or ambiguous. */
export function unitOf(text: string): Unit | undefined {
  const name = text.trim().replaceAll("\u03bc", "µ").replace(/\s+/g, " ");
  return exact.get(name) ?? folded.get(name.toLowerCase());
}

/**
 * Returns the conversion of values from the unit `from` to `to`: undefined if it is not possible. An unknown unit
 * converts only to itself. Factors are exact fractions; a result is within two units in the last place, from kelvin
 * within 1e-10.
 */
export function conversionOf(from: string, to: string): Conversion | undefined {
  const [source, target] = [unitOf(from), unitOf(to)];
  if (source === undefined || target === undefined) return from.trim() === to.trim() ? same : undefined;
  if (source === target) return same;
  if (source.line !== target.line) return undefined;
  if (source.line === temperatureLine) return temperatureConversions[`${source.name} ${target.name}`];
  const [a, b] = sizes.get(source)!;
  const [c, d] = sizes.get(target)!;
  const [numerator, denominator] = reduced(a * d, b * c);
  if (numerator === 1) return (value) => value / denominator;
  return denominator === 1 ? (value) => value * numerator : (value) => (value * numerator) / denominator;
}

/** Returns the units that can be converted to that one. */
export function relatedUnits(unit: string): readonly string[] {
  const { line } = unitOf(unit) ?? {};
  return line === undefined
    ? [unit]
    : [...sizes.keys()].filter((other) => other.line === line).map(({ name }) => name);
}

const same: Conversion = (value) => value;

// A difference of two decimals shows the rounding of both: 300.1 K must be 26.95 °C.
const tenDecimals = (value: number): number => Number(value.toFixed(10));

const temperatureConversions: Readonly<Record<string, Conversion>> = {
  "°F °C": (value) => (value - 32) / 1.8,
  "°C °F": (value) => value * 1.8 + 32,
  "K °C": (value) => tenDecimals(value - 273.15),
  "°C K": (value) => tenDecimals(value + 273.15),
  "°F K": (value) => tenDecimals((value - 32) / 1.8 + 273.15),
  "K °F": (value) => tenDecimals((value - 273.15) * 1.8 + 32),
};

/** Returns the fraction in lowest terms; both numbers must be whole. */
function reduced(numerator: number, denominator: number): readonly [number, number] {
  let [a, b] = [numerator, denominator];
  if (!Number.isSafeInteger(a) || !Number.isSafeInteger(b)) return [numerator / denominator, 1];
  while (b !== 0) [a, b] = [b, a % b];
  return [numerator / a, denominator / a];
}
