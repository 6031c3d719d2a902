import { mergePartials, type ReadingPartial } from "@devicemesh/query/plan/merge";
import { asSeries } from "../engines/partials.ts";
import type { StoredReading } from "./brute-force.ts";

/** Readings that may be missing are tried in all combinations up to this number; beyond it, only bounds are checked. */
const combinedMax = 12;

/** Returns the first difference between an answer and the readings of one device; undefined if there is none. */
export function differenceOf(
  given: ReadingPartial | undefined,
  readings: readonly StoredReading[],
): string | undefined {
  const difference = figuresDifference(given, readings);
  const pending = readings.filter(({ isPending }) => isPending);
  if (difference === undefined || pending.length === 0) return difference;
  const sure = readings.filter(({ isPending }) => !isPending);
  if (pending.length > combinedMax) {
    const count = given?.count ?? 0;
    return count >= sure.length && count <= readings.length ? undefined : difference;
  }
  for (let choice = 0; choice < 1 << pending.length; choice++) {
    const chosen = pending.filter((_, place) => (choice >> place) & 1);
    if (figuresDifference(given, [...sure, ...chosen]) === undefined) return undefined;
  }
  return difference;
}

function figuresDifference(
  given: ReadingPartial | undefined,
  readings: readonly StoredReading[],
): string | undefined {
  if (readings.length === 0) return given === undefined ? undefined : `count is ${given.count}, not 0`;
  if (given === undefined) return `count is 0, not ${readings.length}`;
  const expected = figuresOf(readings);
  for (const name of exactFigures) {
    if (given[name] !== expected[name]) return `${name} is ${given[name]}, not ${expected[name]}`;
  }
  return isNearM2(given.m2, expected.m2) ? undefined : `m2 is ${given.m2}, not ${expected.m2}`;
}

/** Whether two sums of squares differ by rounding only, which depends on the order of additions. */
function isNearM2(given: number, expected: number): boolean {
  return Math.abs(given - expected) <= 1e-9 * Math.max(expected, 1);
}

const exactFigures = [
  "count",
  "sum",
  "minimum",
  "maximum",
  "minimumAtMs",
  "maximumAtMs",
  "firstAtMs",
  "firstValue",
  "lastAtMs",
  "lastValue",
] as const;

/** The figures by their definitions, without any of the code that is tested. */
function figuresOf(readings: readonly StoredReading[]): ReadingPartial {
  const inOrder = readings.toSorted((a, b) => a.timestampMs - b.timestampMs);
  const first = inOrder[0] as StoredReading;
  const last = inOrder.at(-1) as StoredReading;
  let sum = 0;
  let lowest = first;
  let highest = first;
  for (const reading of inOrder) {
    sum += reading.value;
    if (reading.value < lowest.value) lowest = reading;
    if (reading.value > highest.value) highest = reading;
  }
  const mean = sum / inOrder.length;
  const m2 = inOrder.reduce((total, { value }) => total + (value - mean) ** 2, 0);
  return {
    count: inOrder.length,
    sum,
    minimum: lowest.value,
    minimumAtMs: lowest.timestampMs,
    maximum: highest.value,
    maximumAtMs: highest.timestampMs,
    firstAtMs: first.timestampMs,
    firstValue: first.value,
    lastAtMs: last.timestampMs,
    lastValue: last.value,
    m2,
  };
}

/**
 * Merges the answers of cells, each of which has some of the devices, and returns the first difference between the
 * result and all readings; undefined if there is none. Of readings with equal times any may be the first or the last.
 */
export function cellsDifference(
  cells: readonly (readonly ReadingPartial[])[],
  readings: readonly StoredReading[],
): string | undefined {
  const merge = (parts: readonly ReadingPartial[]): ReadingPartial =>
    mergePartials(parts.map((part, place) => asSeries(part, String(place))));
  const merged = cells.filter((parts) => parts.length > 0).map(merge);
  if (merged.length === 0) return figuresDifference(undefined, readings);
  if (readings.length === 0) return "the cells count readings that are not stored";
  const expected = figuresOf(readings);
  const { firstValue, lastValue, m2, ...given } = merge(merged);
  for (const [name, value] of Object.entries(given)) {
    const wanted = expected[name as keyof typeof given];
    if (value !== wanted) return `${name} of all cells is ${value}, not ${wanted}`;
  }
  return isNearM2(m2, expected.m2) ? undefined : `m2 of all cells is ${m2}, not ${expected.m2}`;
}
