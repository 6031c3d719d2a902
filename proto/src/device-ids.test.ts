import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { deviceIdPattern } from "./bounds.ts";
import { decodeDeviceId, encodeDeviceId } from "./device-ids.ts";

describe("encodeDeviceId", () => {
  it("encodes every name that is not too long as a valid id, which decodeDeviceId decodes", () => {
    const name = fc.oneof(
      fc.string(),
      fc.string({ unit: "grapheme" }),
      fc.string({ unit: "binary", maxLength: 12 }),
    );
    fc.assert(
      fc.property(name, (text) => {
        const id = encodeDeviceId(text);
        if (id === undefined) return;
        expect(id).toMatch(deviceIdPattern);
        expect(decodeDeviceId(id)).toBe(text);
      }),
      { numRuns: 5000 },
    );
  });

  it("never returns the same id for two names", () => {
    const name = fc.string({ unit: fc.constantFrom("a", "%", "2", "5", "é", " ", "/", "_"), maxLength: 5 });
    fc.assert(
      fc.property(name, name, (first, second) => {
        if (first !== second && encodeDeviceId(first) !== undefined) {
          expect(encodeDeviceId(first)).not.toBe(encodeDeviceId(second));
        }
      }),
      { numRuns: 5000 },
    );
  });

  it("leaves a name of valid characters as it is, except for the percent sign and the first character", () => {
    for (const id of ["a", "_a", "plant/7@line~2=x", "a.b:c-d"]) expect(encodeDeviceId(id)).toBe(id);
    expect(["50%", "/a", "Küche", "a b", "-x", "|"].map(encodeDeviceId)).toEqual([
      "50%25",
      "%2Fa",
      "K%C3%BCche",
      "a%20b",
      "%2Dx",
      "%7C",
    ]);
  });

  it("returns no id for a name that is empty, too long, or not Unicode", () => {
    expect(["", "a".repeat(129), "ü".repeat(22), "\ud800"].map(encodeDeviceId)).toEqual(
      Array(4).fill(undefined),
    );
    expect(encodeDeviceId("a".repeat(128))).toBe("a".repeat(128));
  });
});

describe("decodeDeviceId", () => {
  it("returns an id unchanged if it does not encode a name", () => {
    for (const id of ["a", "a%", "%zz", "%ff", "a%20B%2f", "%41"]) expect(decodeDeviceId(id)).toBe(id);
  });
});
