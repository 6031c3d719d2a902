import fc from "fast-check";
import { expect, it } from "vitest";
import { type SeriesSearch, searchMatcher, searchPattern } from "./series-request.ts";

it("finds the same devices as the pattern for databases", () => {
  const text = (letters: string) => fc.string({ unit: fc.constantFrom(...letters), maxLength: 8 });
  fc.assert(
    fc.property(
      fc.constantFrom<SeriesSearch["kind"]>("contains", "prefix", "glob"),
      text("abBC_.-*?"),
      text("aAbBc_.-"),
      (kind, pattern, deviceId) => {
        const search = { kind, text: pattern };
        expect(searchMatcher(search)(deviceId)).toBe(new RegExp(searchPattern(search)).test(deviceId));
        const isFound = new RegExp(searchPattern({ kind, text: pattern.toUpperCase() }), "i").test(deviceId);
        expect(searchMatcher(search)(deviceId)).toBe(isFound);
      },
    ),
    { numRuns: 2000 },
  );
});

it("ignores the case of ASCII letters only", () => {
  // The Kelvin sign is a k in another case elsewhere.
  const search = { kind: "contains", text: "\u212a" } as const;
  expect(searchMatcher(search)("k")).toBe(false);
  expect(new RegExp(searchPattern(search)).test("k")).toBe(false);
});

it("answers a pattern with excessive backtracking", () => {
  const search = { kind: "glob", text: `${"*a".repeat(60)}b` } as const;
  expect(searchMatcher(search)("a".repeat(128))).toBe(false);
});
