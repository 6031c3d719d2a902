import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createSeriesLimit } from "./series-limit.ts";

describe("createSeriesLimit", () => {
  it("names the limit that is reached, in all or of a publisher, and accepts known series from any", () => {
    const admit = createSeriesLimit({ max: 4, maxPerPublisher: 2 });
    expect([admit("a", 0, "gateway/x"), admit("a", 1, "gateway/x")]).toEqual([undefined, undefined]);
    expect(admit("b", 0, "gateway/x")).toMatch(/gateway\/x has begun 2 .*--max-series-per-publisher\)$/);
    expect(admit("a", 1, "gateway/x")).toBeUndefined();
    expect([admit("b", 40), admit("c", 40)]).toEqual([undefined, undefined]);
    expect(admit("d", 0)).toMatch(/ingest has accepted 4 .*--max-series\)$/);
    expect([admit("b", 40, "gateway/x"), admit("a", 0)]).toEqual([undefined, undefined]);
    expect(admit("b", 41)).toMatch(/--max-series\)$/);
  });

  it("counts each series once, as a set of them does, whatever its sensor's code", () => {
    const series = fc.tuple(fc.constantFrom("a", "b", "a 1", "c"), fc.nat(200));
    fc.assert(
      fc.property(fc.array(series, { maxLength: 300 }), fc.nat(60), (sent, max) => {
        const admit = createSeriesLimit({ max, maxPerPublisher: max });
        const known = new Set<string>();
        for (const [deviceId, code] of sent) {
          const name = `${deviceId}|${code}`;
          const isAccepted = admit(deviceId, code) === undefined;
          expect(isAccepted).toBe(known.has(name) || known.size < max);
          if (isAccepted) known.add(name);
        }
      }),
    );
  });
});
