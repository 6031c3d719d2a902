import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { extremesSql } from "./extremes.ts";

const windowMs = 10_000;
type Row = { readonly at: number; readonly value: number };

/** The keys of a row: Spark's SQL here is JavaScript's arithmetic, on the same doubles. */
const keysOf = (() => {
  const script = extremesSql(windowMs).columns.map((column) =>
    column
      .replace(/ AS \w+$/, "")
      .replaceAll(/(\d)[DL]/g, "$1")
      .replaceAll("abs(", "Math.abs(")
      .replaceAll(/(?<=^|[^.\w])IF\(/g, "choose("),
  );
  const run = new Function(...["at", "value", "pmod", "choose"], `return [${script.join(", ")}]`) as (
    ...given: unknown[]
  ) => [number, number, number];
  const pmod = (a: number, b: number): number => ((a % b) + b) % b;
  const choose = <T>(condition: boolean, yes: T, no: T): T => (condition ? yes : no);
  return ({ at, value }: Row) => run(at, value, pmod, choose);
})();

/** The row with the largest key; of equal keys any, here the last as in Spark. */
function largest(rows: readonly Row[], keyOf: (row: Row) => number): Row {
  return rows.reduce((best, row) => (keyOf(best) > keyOf(row) ? best : row));
}

const earliest = (rows: readonly Row[], value: number): number =>
  Math.min(...rows.filter((row) => row.value === value).map(({ at }) => at));

const windowStart = 1_763_900_000_000;
const values = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.integer({ min: -3, max: 3 }).map((step) => 1013.25 + step / 100),
  fc.constantFrom(0, 5e-324, -5e-324, 1e-290, 1.7976931348623157e308, -1.7976931348623157e308),
);
const rowsOf = (value: fc.Arbitrary<number>) =>
  fc.array(
    fc.record({ value, at: fc.integer({ min: 0, max: windowMs - 1 }).map((ms) => windowStart + ms) }),
    { minLength: 1, maxLength: 40 },
  );

describe("the extremes of a group", () => {
  it("are those of the row with the extreme key, the earliest of equal ones, or NaN", () => {
    fc.assert(
      fc.property(rowsOf(values), (rows) => {
        const lowest = largest(rows, (row) => -keysOf(row)[0]);
        const highest = largest(rows, (row) => keysOf(row)[1]);
        const low = Math.min(...rows.map(({ value }) => value));
        const high = Math.max(...rows.map(({ value }) => value));
        if (lowest.value === low) expect(lowest.at).toBe(earliest(rows, low));
        if (highest.value === high) expect(highest.at).toBe(earliest(rows, high));
      }),
      { numRuns: 2000 },
    );
  });

  it("are known where values are equal or differ by more than 2^-36 of their size", () => {
    const sensible = fc.integer({ min: -1_000_000, max: 1_000_000 }).map((n) => n / 1000);
    fc.assert(
      fc.property(rowsOf(sensible), (rows) => {
        const low = Math.min(...rows.map(({ value }) => value));
        const high = Math.max(...rows.map(({ value }) => value));
        expect(largest(rows, (row) => -keysOf(row)[0])).toEqual({ value: low, at: earliest(rows, low) });
        expect(largest(rows, (row) => keysOf(row)[1])).toEqual({ value: high, at: earliest(rows, high) });
      }),
      { numRuns: 1000 },
    );
  });

  it("keep the order of time, then of value, for first and last", () => {
    const a = { at: windowStart + 5, value: 1e300 };
    const b = { at: windowStart + 6, value: -1e300 };
    expect(keysOf(a)[2]).toBeLessThan(keysOf(b)[2]);
    expect(keysOf({ ...a, value: 1013 })[2]).toBeLessThan(keysOf({ ...a, value: 1014 })[2]);
  });
});
