import fc from "fast-check";
import { expect, it } from "vitest";
import { foldSpans } from "./fold-spans.ts";

it("the spans of a fold cover every window of the rows once, and divide none", () => {
  const ms = fc.integer({ min: 946_684_800_000, max: 4_000_000_000_000 });
  fc.assert(
    fc.property(
      ms,
      fc.nat(1e9),
      fc.integer({ min: 1, max: 2e7 }),
      fc.constantFrom(10_000, 600_000),
      (firstMs, length, rows, windowMs) => {
        const lastMs = firstMs + length;
        const spans = foldSpans({ rows, firstMs, lastMs, windowMs });
        expect(spans[0]?.sinceMs).toBeLessThanOrEqual(firstMs);
        expect(spans.at(-1)?.toMs).toBeGreaterThan(lastMs);
        for (const [place, { sinceMs, toMs }] of spans.entries()) {
          expect([sinceMs % windowMs, toMs % windowMs]).toEqual([0, 0]);
          expect(toMs).toBeGreaterThan(sinceMs);
          if (place > 0) expect(sinceMs).toBe(spans[place - 1]?.toMs);
        }
        expect(spans.length).toBeLessThanOrEqual(Math.ceil(rows / 262_144));
      },
    ),
  );
});

it("a fold without rows has no spans", () => {
  expect(foldSpans({ rows: 0, firstMs: 0, lastMs: 0, windowMs: 10_000 })).toEqual([]);
});
