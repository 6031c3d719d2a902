import fc from "fast-check";
import { expect, it } from "vitest";
import { rangeOf, rangeRequest } from "./byte-range.ts";

it("reads one range in bytes and ignores others as allowed", () => {
  expect(rangeRequest("bytes=0-7")).toEqual({ kind: "bounded", start: 0, end: 7 });
  expect(rangeRequest("bytes=-8")).toEqual({ kind: "suffix", length: 8 });
  expect(rangeRequest("bytes=5-")).toEqual({ kind: "open", start: 5 });
  for (const header of [
    undefined,
    "",
    "bytes=",
    "bytes=-",
    "bytes=7-0",
    "bytes=0-1,4-5",
    "rows=0-7",
    "bytes=a-b",
  ])
    expect(rangeRequest(header)).toBeUndefined();
});

it("never exceeds the file", () => {
  const nat = fc.nat(40);
  fc.assert(
    fc.property(
      fc.oneof(
        fc.tuple(nat, nat).map(([start, more]) => `bytes=${start}-${start + more}`),
        nat.map((length) => `bytes=-${length}`),
        nat.map((start) => `bytes=${start}-`),
      ),
      nat,
      (header, size) => {
        const request = rangeRequest(header);
        const range = request && rangeOf(request, size);
        if (!range) return;
        expect(range.length).toBeGreaterThan(0);
        expect(range.start).toBeGreaterThanOrEqual(0);
        expect(range.start + range.length).toBeLessThanOrEqual(size);
      },
    ),
  );
});
