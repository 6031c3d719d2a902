import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { curveKinds, fills, holds, parseSelection, type Selection, selectionParams } from "./selection.ts";

const name = fc.stringMatching(/^[a-z0-9][a-z0-9._:-]{0,12}$/);

describe("selections", () => {
  it("are read back unchanged from the URL", () => {
    const selections: fc.Arbitrary<Selection> = fc.record({
      devices: fc.uniqueArray(name, { maxLength: 4 }),
      sensors: fc.uniqueArray(name, { maxLength: 3 }),
      timeframe: fc.constantFrom(
        { kind: "all" } as const,
        { kind: "last", spanMs: 86_400_000 } as const,
        { kind: "between", sinceMs: 5, toMs: 1e12 } as const,
      ),
      zone: fc.constantFrom("local", "UTC", "Asia/Kathmandu"),
      bucket: fc.oneof(fc.integer({ min: 1, max: 1e6 }), fc.constantFrom("hour", "week", undefined)),
      lines: fc.constantFrom("auto", "series", "sensor"),
      curves: fc.constantFrom(...curveKinds),
      hold: fc.constantFrom(...holds),
      fill: fc.constantFrom(...fills),
    });
    fc.assert(
      fc.property(selections, (selection) => {
        const text = selectionParams(selection).toString();
        expect(parseSelection(new URLSearchParams(text))).toEqual(selection);
      }),
    );
  });

  it("leave out malformed parts of a URL", () => {
    const params = new URLSearchParams(
      "zone=Mars/Olympus&bucket=-3&lines=many&time=soon&curves=wild&hold=7&fill=guess",
    );
    expect(parseSelection(params)).toEqual(parseSelection(new URLSearchParams()));
  });
});
