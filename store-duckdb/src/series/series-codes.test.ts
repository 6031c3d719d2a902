import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createSeriesCodes } from "./series-tables.ts";

describe("the codes of series", () => {
  it("are found like in a plain map, for frequent and rare sensors, in any number", () => {
    const keys = fc.uniqueArray(fc.tuple(fc.nat(300_000), fc.nat(60_000)), {
      maxLength: 400,
      selector: String,
    });
    fc.assert(
      fc.property(keys, fc.nat(4), (series, dense) => {
        const codes = createSeriesCodes(dense);
        for (const [code, [device, sensor]] of series.entries()) {
          expect(codes.get(device, sensor)).toBeUndefined();
          codes.add(device, sensor, code);
        }
        for (const [code, [device, sensor]] of series.entries()) {
          expect(codes.get(device, sensor)).toBe(code);
        }
      }),
    );
  });

  it("are found for a hundred sensors of a thousand devices, and for no other device", () => {
    const codes = createSeriesCodes(4);
    for (let code = 0; code < 100_000; code++) codes.add(code % 1000, Math.floor(code / 1000), code);
    for (let code = 0; code < 100_000; code += 997) {
      expect(codes.get(code % 1000, Math.floor(code / 1000))).toBe(code);
    }
    expect(codes.get(1_000_000, 3)).toBeUndefined();
    expect(codes.get(1_000_000, 30)).toBeUndefined();
  });
});
