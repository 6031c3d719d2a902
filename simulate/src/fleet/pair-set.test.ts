import fc from "fast-check";
import { expect, it } from "vitest";
import { createPairSet } from "./pair-set.ts";

const pair = fc.tuple(fc.nat(2), fc.integer({ min: -5, max: 40 }), fc.nat(40));

it("the distinct pairs of each device are counted, one device after the other", () => {
  fc.assert(
    fc.property(fc.array(fc.array(pair, { maxLength: 2000 }), { maxLength: 5 }), (devices) => {
      const pairs = createPairSet();
      for (const list of devices) {
        pairs.begin(list.length);
        const fresh = list.filter(([level, window, segment]) => pairs.add(level, window, segment));
        expect(fresh.length).toBe(new Set(list.map((one) => one.join("|"))).size);
      }
    }),
    { numRuns: 50 },
  );
});
