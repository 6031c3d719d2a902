import type { PartialFigures } from "@devicemesh/pipeline";
import { type DeadLetter, duplicateKeyCode, fieldsOf } from "./dead-letter.ts";

/**
 * Whether a partial that the sink refused is the stored one, delivered again: the log and Kafka Connect deliver at
 * least once, and a window job that is started again writes its last batch again. Sums may differ in their last
 * digits, since Spark adds in any order.
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

/** Far more than the order of additions changes, far less than a reading. */
const relativeError = 1e-9;

function isClose(value: unknown, stored: number): boolean {
  if (typeof value !== "number") return false;
  return Math.abs(value - stored) <= relativeError * Math.max(Math.abs(value), Math.abs(stored));
}
