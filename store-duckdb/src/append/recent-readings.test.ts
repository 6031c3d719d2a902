import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createRecentReadings } from "./commit-clock.ts";

type Row = { readonly ms: number; readonly value: number; readonly arrivedMs: number };

function columnsOf(rows: readonly Row[]) {
  return {
    length: rows.length,
    series: new Int32Array(rows.length),
    timestampsMs: Float64Array.from(rows, ({ ms }) => ms),
    values: Float64Array.from(rows, ({ value }) => value),
  };
}

/** The number of readings of a commit: some fill the ring, some are not copied. */
const commit = fc.record({
  rows: fc.constantFrom(1, 3, 500, 8000, 8192, 8193),
  laterMs: fc.constantFrom(0, 1, 100),
  fails: fc.oneof({ weight: 9, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
});

describe("createRecentReadings", () => {
  it("returns all readings of a scan, or reports that it does not have them all", () => {
    fc.assert(
      fc.property(
        fc.array(commit, { maxLength: 25 }),
        fc.array(fc.tuple(fc.nat(2500), fc.nat(1000), fc.nat(1000)), { minLength: 5, maxLength: 5 }),
        (commits, scans) => {
          const recent = createRecentReadings(100);
          const stored: Row[] = [];
          let arrivedMs = 100;
          for (const { rows, laterMs, fails } of commits) {
            arrivedMs += laterMs;
            const all = Array.from({ length: rows }, (_, row) => ({
              ms: (row * 37) % 1000,
              value: stored.length + row,
              arrivedMs,
            }));
            for (const row of all) stored.push(row);
            recent.committing();
            if (fails) recent.failed(arrivedMs);
            else recent.committed(columnsOf(all), arrivedMs);
          }
          for (const [arrivedSinceMs, from, length] of scans) {
            const scan = { sinceMs: from, toMs: from + length, arrivedSinceMs, arrivedToMs: Infinity };
            const found: number[] = [];
            const count = recent.read(scan, (_, __, value) => found.push(value));
            if (count === undefined) {
              expect(found).toEqual([]);
              continue;
            }
            expect(count).toBe(found.length);
            const expected = stored.filter(
              (row) => row.arrivedMs >= arrivedSinceMs && row.ms >= from && row.ms < from + length,
            );
            expect(found.sort((a, b) => a - b)).toEqual(expected.map(({ value }) => value));
          }
        },
      ),
      { numRuns: 100 },
    );
  });

  it("has all readings that a store has received since it was opened, if they are few", () => {
    const recent = createRecentReadings(100);
    const scan = { sinceMs: 0, toMs: 10, arrivedSinceMs: 101, arrivedToMs: Infinity };
    const none = () => expect.unreachable("nothing is stored");
    expect(recent.read({ ...scan, arrivedSinceMs: 100 }, none)).toBeUndefined();
    expect(recent.read(scan, none)).toBe(0);
    recent.committed(columnsOf([{ ms: 5, value: 7, arrivedMs: 101 }]), 101);
    const found: number[][] = [];
    expect(recent.read(scan, (...row) => found.push(row))).toBe(1);
    expect(found).toEqual([[0, 5, 7]]);
    expect(recent.read({ ...scan, arrivedToMs: 101 }, none)).toBe(0);
  });
});
