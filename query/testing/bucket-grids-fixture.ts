import fc from "fast-check";
import { type BucketGrid, type BucketRun, fixedGrid } from "../src/calendar/bucket-grid.ts";

/**
 * No buckets, buckets of a fixed size from any origin, and buckets of varying sizes like those of calendars; inside
 * [sinceMs, toMs).
 */
export function bucketGrids(sinceMs: number, toMs: number): fc.Arbitrary<BucketGrid | undefined> {
  const runs = fc.array(
    fc.record({
      sizeMs: fc.oneof(
        fc.constantFrom(10, 30, 60, 120, 240, 360),
        fc.integer({ min: 1, max: 20 }).map((n) => n * 10),
        fc.integer({ min: 3, max: 400 }),
      ),
      count: fc.integer({ min: 1, max: 6 }),
    }),
    { minLength: 1, maxLength: 8 },
  );
  return fc.oneof(
    fc.constant(undefined),
    fc.constantFrom(10, 20, 30, 60, 120, 360).map((sizeMs) => fixedGrid(sizeMs)),
    fc
      .record({ sizeMs: fc.constantFrom(10, 60, 120, 360), origin: fc.integer({ min: -50, max: 50 }) })
      .map(({ sizeMs, origin }) => fixedGrid(sizeMs, origin * 10)),
    runs.map((drawn) => {
      const grid: BucketRun[] = [];
      for (let ms = sinceMs, place = 0; ms < toMs; place++) {
        const { sizeMs, count } = drawn[place % drawn.length] as (typeof drawn)[number];
        grid.push({ sinceMs: ms, toMs: ms + sizeMs * count, sizeMs });
        ms += sizeMs * count;
      }
      return grid;
    }),
  );
}
