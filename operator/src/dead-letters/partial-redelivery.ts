import type { PartialFigures } from "@devicemesh/pipeline";
import { type DeadLetter, duplicateKeyCode, fieldsOf } from "./dead-letter.ts";

/**
 * Whether a rejected partial is a redelivery of the stored one: the log and Kafka Connect deliver at least once, and a
 * restarted window job writes its last batch again. Sums may differ in their last digits, because Spark adds in any
 * order.
 */
export function isStoredPartial(letter: DeadLetter, stored: PartialFigures | undefined): boolean {
  if (letter.code !== duplicateKeyCode || stored === undefined) return false;
  const fields = fieldsOf(letter);
  return (
    figures.every((name) => fields[name] === Number(stored[name])) &&
    times.every((name) => fields[name] === stored[name].getTime()) &&
    sums.every((name) => isClose(fields[name], Number(stored[name])))
  );
}

const figures = ["count", "minimum", "maximum", "first_value", "last_value"] as const;
const times = ["minimum_at", "maximum_at", "first_at", "last_at"] as const;
const sums = ["sum", "m2"] as const;

/** Far larger than the effect of the order of additions, far smaller than a reading. */
const relativeError = 1e-9;

function isClose(value: unknown, stored: number): boolean {
  if (typeof value !== "number") return false;
  return Math.abs(value - stored) <= relativeError * Math.max(Math.abs(value), Math.abs(stored));
}
