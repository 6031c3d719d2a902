import type { Estimate, OracleBucket } from "./oracle.ts";
import { type ClockUnit, nextUnitStart, unitStart } from "./zone-clock.ts";

const [second, minute, hour, day] = [1000, 60_000, 3_600_000, 86_400_000];

/** The round sizes: within a day those of clocks, then days, never whole weeks. */
export const roundSizes: readonly number[] = [
  ...[10, 20, 30].map((count) => count * second),
  ...[1, 2, 5, 10, 15, 20, 30].map((count) => count * minute),
  ...[1, 2, 3, 6, 12].map((count) => count * hour),
  ...Array.from({ length: 6 }, (_, power) => [1, 2, 5].map((count) => count * 10 ** power * day)).flat(),
  // 10,000 years, the maximum of a Duration.
  315_576_000_000 * second,
];

/** The boundaries of buckets. */
export type OracleGrid = { startOf(ms: number): number; nextAfter(startMs: number): number };

/** How empty buckets are filled. */
export type OracleFill = "none" | "null" | "previous" | "linear";

/** The buckets of a fixed size, from 1970 or, if they are of whole weeks, from a Monday. */
export function fixedOracleGrid(bucketMs: number, originMs?: number): OracleGrid {
  return {
    startOf: (ms) => startOf(ms, bucketMs, originMs),
    nextAfter: (startMs) => startMs + bucketMs,
  };
}

/** The buckets of a calendar. */
export function calendarOracleGrid(unit: ClockUnit, zone: string): OracleGrid {
  return {
    startOf: (ms) => unitStart(unit, ms, zone),
    nextAfter: (startMs) => nextUnitStart(unit, startMs, zone),
  };
}

/** Returns the start of the fixed-size bucket that contains a time. */
export function startOf(
  ms: number,
  bucketMs: number,
  originMs = bucketMs % (7 * day) === 0 ? 4 * day : 0,
): number {
  return originMs + Math.floor((ms - originMs) / bucketMs) * bucketMs;
}

/** Returns the row of a bucket, filled from the nearest ones of its group if it is empty. */
export function estimated(
  bucket: OracleBucket,
  ofGroup: readonly OracleBucket[],
  fill: OracleFill,
): OracleBucket["row"] {
  const { row, startMs } = bucket;
  if (row.count > 0 || fill === "none" || fill === "null") return row;
  const full = ofGroup.flatMap((each) =>
    "magnitude" in each.row ? [{ startMs: each.startMs, row: each.row }] : [],
  );
  const before = full.findLast((each) => each.startMs < startMs);
  const after = full.find((each) => each.startMs > startMs);
  if (!before || (fill === "linear" && !after)) return row;
  const share =
    fill === "previous" || !after ? 0 : (startMs - before.startMs) / (after.startMs - before.startMs);
  const at = (name: keyof Estimate): number =>
    before.row[name] + share * ((after ?? before).row[name] - before.row[name]);
  const estimate = { average: at("average"), minimum: at("minimum"), maximum: at("maximum") };
  return { ...row, count: 0, estimate };
}
