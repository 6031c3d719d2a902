import fc from "fast-check";
import { expect, it } from "vitest";
import { type SeriesSearch, searchMatcher, searchPattern } from "./series-request.ts";

it("finds the same devices as the pattern for databases", () => {
  const text = (letters: string) => fc.string({ unit: fc.constantFrom(...letters), maxLength: 8 });
  fc.assert(
    fc.property(
      fc.constantFrom<SeriesSearch["kind"]>("contains", "prefix", "glob"),
      text("ab.-*?"),
      text("ab.-"),
      (kind, pattern, deviceId) => {
        const search = { kind, text: pattern };
        expect(searchMatcher(search)(deviceId)).toBe(new RegExp(searchPattern(search)).test(deviceId));
      },
    ),
    { numRuns: 2000 },
  );
});

it("answers a pattern with excessive backtracking", () => {
  const search = { kind: "glob", text: `${"*a".repeat(60)}b` } as const;
  expect(searchMatcher(search)("a".repeat(128))).toBe(false);
});
