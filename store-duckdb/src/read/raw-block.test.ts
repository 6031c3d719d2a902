import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  addToBlocks,
  blockRowsMax,
  bytesOfBlock,
  compact,
  createRawBlock,
  type RawBlock,
} from "./raw-block.ts";

const windowMs = 10_000;
const place = 177_000_000;

/** A reading: its series, its offset in the window, and its value. */
type Row = readonly [series: number, offset: number, value: number];

function add(block: RawBlock, rows: readonly Row[]): void {
  const readings = {
    length: rows.length,
    series: Int32Array.from(rows, ([series]) => series),
    timestampsMs: Float64Array.from(rows, ([, offset]) => place * windowMs + offset),
    values: Float64Array.from(rows, ([, , value]) => value),
  };
  addToBlocks(readings, windowMs, (each) => (each === place ? block : undefined));
}

function rowsOf({ length, series, offsets, values, divisor }: RawBlock): Row[] {
  return Array.from({ length }, (_, row) => [
    series[row] as number,
    offsets[row] as number,
    (values[row] as number) / divisor,
  ]);
}

const decimal = fc
  .tuple(fc.integer({ min: -3_000_000, max: 3_000_000 }), fc.constantFrom(1, 10, 100, 1000, 10_000, 100_000))
  .map(([whole, divisor]) => whole / divisor);
const value = fc.oneof(
  { weight: 6, arbitrary: decimal },
  { weight: 1, arbitrary: fc.double({ noNaN: true, noDefaultInfinity: true }) },
  { weight: 1, arbitrary: fc.constantFrom(-0, 2 ** 31 - 1, 2 ** 31, -(2 ** 31), 2 ** 53, 0.1 + 0.2) },
);
const series = fc.oneof(fc.nat(1000), fc.nat(2 ** 31 - 1));
const row = fc.tuple(series, fc.nat(windowMs - 1), value);

describe("a block of raw readings", () => {
  it("returns what was added, to the last bit, however often it was made small in between", () => {
    fc.assert(
      fc.property(fc.array(fc.array(row, { maxLength: 20 }), { maxLength: 6 }), (batches) => {
        const block = createRawBlock();
        for (const batch of batches) {
          add(block, batch);
          compact(block);
          compact(block);
        }
        // toEqual distinguishes 0 and -0.
        expect(rowsOf(block)).toEqual(batches.flat());
      }),
      { numRuns: 2000 },
    );
  });

  it("takes 8 bytes for a reading with few decimals, and 14 for any other", () => {
    const sent = Array.from(
      { length: 4000 },
      (_, at): Row => [at % 400, at % windowMs, (101_325 + at) / 100],
    );
    const block = createRawBlock();
    const empty = bytesOfBlock(block);
    add(block, sent);
    compact(block);
    expect(bytesOfBlock(block) - empty).toBe(sent.length * 8);
    add(block, [[400_000, 0, Math.PI]]);
    compact(block);
    expect(bytesOfBlock(block) - empty).toBe((sent.length + 1) * 14);
    expect(rowsOf(block).slice(0, 2)).toEqual(sent.slice(0, 2));
  });

  it("is empty once it has too many readings", () => {
    const block = createRawBlock();
    add(block, Array(blockRowsMax).fill([1, 2, 3]));
    expect(block).toMatchObject({ length: blockRowsMax, isTooLarge: false });
    compact(block);
    add(block, [[1, 2, 3]]);
    expect(block).toMatchObject({ length: 0, isTooLarge: true });
    add(block, [[1, 2, 3]]);
    expect(block.length).toBe(0);
  });
});
