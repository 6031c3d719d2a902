import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { editDistance, nearestName } from "./nearest-name.ts";

describe("editDistance", () => {
  it.each([
    ["", "", 0],
    ["abc", "abc", 0],
    ["abc", "", 3],
    ["kitten", "sitting", 3],
    ["--levl", "--level", 1],
  ])("from %j to %j is %d", (from, to, distance) => {
    expect(editDistance(from, to)).toBe(distance);
  });

  it("is the same in both directions, and at most the length of the longer name", () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (a, b) => {
        expect(editDistance(a, b)).toBe(editDistance(b, a));
        expect(editDistance(a, b)).toBeLessThanOrEqual(Math.max(a.length, b.length));
      }),
    );
  });
});

describe("nearestName", () => {
  it("is the closest of several", () => {
    expect(nearestName("--ingest-prt", ["--query-port", "--ingest-port", "--ingest-host"])).toBe(
      "--ingest-port",
    );
  });

  it("is undefined if all are far", () => {
    expect(nearestName("--frobnicate", ["--query-port", "--data"])).toBeUndefined();
    expect(nearestName("x", [])).toBeUndefined();
  });
});
