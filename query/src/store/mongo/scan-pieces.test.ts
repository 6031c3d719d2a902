import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { SeriesSpan } from "../reading-store.ts";
import { neighbours, scanPieces } from "./scan-pieces.ts";

const spans = fc.array(
  fc.record({ start: fc.nat(5000), length: fc.integer({ min: 1, max: 500 }), device: fc.nat(3) }),
  { maxLength: 400, size: "max" },
);
const spanOf = ({
  start,
  length,
  device,
}: {
  start: number;
  length: number;
  device: number;
}): SeriesSpan => ({
  series: [{ deviceId: `d${device}`, sensor: "temperature" }],
  sinceMs: start,
  toMs: start + length,
});

describe("neighbours", () => {
  it("are all of the spans, each once, in at most eight groups, in order of their starts", () => {
    fc.assert(
      fc.property(spans, (all) => {
        const given = all.map(spanOf);
        const groups = neighbours(given);
        expect(new Set(groups.flat())).toEqual(new Set(given));
        expect(groups.flat()).toHaveLength(given.length);
        expect(groups.length).toBeLessThanOrEqual(8);
        const starts = groups.flat().map(({ sinceMs }) => sinceMs);
        expect(starts).toEqual([...starts].sort((a, b) => a - b));
      }),
    );
  });
});

describe("the pieces of a scan", () => {
  it("contain each time of the scan once, and no other", () => {
    fc.assert(
      fc.property(
        spans,
        fc.nat(5000),
        fc.integer({ min: 1, max: 5000 }),
        fc.boolean(),
        (all, start, length, isOpen) => {
          const scan = {
            sinceMs: isOpen ? Number.NEGATIVE_INFINITY : start,
            toMs: isOpen ? Number.POSITIVE_INFINITY : start + length,
            arrivedSinceMs: 7,
            arrivedToMs: 9,
          };
          const pieces = scanPieces(scan, all.map(spanOf));
          expect(pieces.length).toBeLessThanOrEqual(8);
          expect(pieces[0]?.sinceMs).toBe(scan.sinceMs);
          expect(pieces.at(-1)?.toMs).toBe(scan.toMs);
          for (const [place, piece] of pieces.entries()) {
            expect(piece.sinceMs).toBeLessThan(piece.toMs);
            if (place > 0) expect(piece.sinceMs).toBe(pieces[place - 1]?.toMs);
            expect(piece).toMatchObject({ arrivedSinceMs: 7, arrivedToMs: 9 });
          }
        },
      ),
    );
  });

  it("overlap an eighth of many disjoint spans each", () => {
    const except = Array.from({ length: 400 }, (_, place) =>
      spanOf({ start: place * 10, length: 10, device: 0 }),
    );
    const scan = { sinceMs: 0, toMs: 10_000, arrivedSinceMs: 0, arrivedToMs: 1 };
    const reached = scanPieces(scan, except).map(
      (piece) => except.filter(({ sinceMs, toMs }) => sinceMs < piece.toMs && toMs > piece.sinceMs).length,
    );
    expect(reached).toEqual(Array.from({ length: 8 }, () => 50));
  });

  it("are the whole scan if few spans are excepted", () => {
    const scan = { sinceMs: 0, toMs: 10, arrivedSinceMs: 0, arrivedToMs: 1 };
    expect(scanPieces(scan, [])).toEqual([scan]);
  });
});
