import fc from "fast-check";
import { expect, it } from "vitest";
import type { Scan } from "../store/reading-store.ts";
import { cutScan, type SketchGap, widerGap } from "./sketch-gaps.ts";

const level = { windowMs: 10, segmentMs: 100 };
const infinite = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY] as const;

const scans = fc
  .tuple(fc.nat(9), fc.integer({ min: 1, max: 9 }), fc.nat(9), fc.integer({ min: 1, max: 9 }), fc.boolean())
  .map(
    ([first, windows, segment, segments, isBounded]): Scan => ({
      sinceMs: first * 10,
      toMs: (first + windows) * 10,
      arrivedSinceMs: isBounded ? segment * 100 : infinite[0],
      arrivedToMs: (segment + segments) * 100,
    }),
  );

const isIn = (scan: Scan, windowMs: number, arrivedMs: number): boolean =>
  windowMs >= scan.sinceMs &&
  windowMs < scan.toMs &&
  arrivedMs >= scan.arrivedSinceMs &&
  arrivedMs < scan.arrivedToMs;

it("reads each partial of the scan once, from raw readings if it has no sketch", () => {
  fc.assert(
    fc.property(
      scans,
      fc.array(fc.tuple(fc.nat(20), fc.nat(20), fc.boolean()), { minLength: 1, maxLength: 40 }),
      (scan, places) => {
        const partials = places
          .map(([window, segment, hasSketch]) => ({
            windowMs: window * 10,
            segmentMs: segment * 100,
            hasSketch,
          }))
          .filter(({ windowMs, segmentMs }) => isIn(scan, windowMs, segmentMs));
        const without = partials.filter(({ hasSketch }) => !hasSketch);
        fc.pre(without.length > 0);
        const gap = without.reduce<SketchGap | undefined>(
          (wider, { windowMs, segmentMs }) => widerGap(wider, windowMs, segmentMs),
          undefined,
        ) as SketchGap;
        const { sketched, raw } = cutScan(scan, gap, level);
        for (const { windowMs, segmentMs, hasSketch } of partials) {
          const fromRaw = isIn(raw, windowMs, segmentMs);
          const times = sketched.filter((each) => isIn(each, windowMs, segmentMs)).length;
          expect(times + Number(fromRaw)).toBe(1);
          if (!hasSketch) expect(fromRaw).toBe(true);
        }
      },
    ),
  );
});
