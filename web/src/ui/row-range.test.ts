import fc from "fast-check";
import { expect, it } from "vitest";
import { rowRange } from "./row-range.ts";

it("a long list renders the rows in view and few others, at any scroll position", () => {
  const lists = fc.record({
    count: fc.integer({ min: 0, max: 1_000_000 }),
    scrollTop: fc.integer({ min: 0, max: 50_000_000 }),
  });
  fc.assert(
    fc.property(lists, ({ count, scrollTop }) => {
      const { first, end } = rowRange({ scrollTop, viewport: 528, rowHeight: 44, count });
      expect(first).toBeGreaterThanOrEqual(0);
      expect(end).toBeGreaterThanOrEqual(first);
      expect(end).toBeLessThanOrEqual(count);
      expect(end - first).toBeLessThanOrEqual(26);
      for (let top = scrollTop; top < Math.min(scrollTop + 528, count * 44); top += 44) {
        const row = Math.floor(top / 44);
        expect(row >= first && row < end).toBe(true);
      }
    }),
  );
});
