import { describe, expect, it } from "vitest";
import { nextFold } from "./level-fold.ts";

describe("nextFold", () => {
  it("folds the first segment that has partials and lies wholly before the finer frontier", () => {
    const fold = { segmentMs: 60, frontierMs: 120, belowFrontierMs: 310, firstBelowMs: 130 };
    expect(nextFold(fold)).toEqual({ kind: "fold", sinceMs: 120, toMs: 180 });
    expect(nextFold({ ...fold, firstBelowMs: 250 })).toEqual({ kind: "fold", sinceMs: 240, toMs: 300 });
  });

  it("does nothing before a segment has closed on the finer level", () => {
    const fold = { segmentMs: 60, frontierMs: 120, belowFrontierMs: 179, firstBelowMs: 130 };
    expect(nextFold(fold)).toEqual({ kind: "none" });
    expect(nextFold({ ...fold, belowFrontierMs: 180 }).kind).toBe("fold");
  });

  it("skips time without partials", () => {
    const fold = { segmentMs: 60, frontierMs: 0, belowFrontierMs: 310, firstBelowMs: undefined };
    expect(nextFold(fold)).toEqual({ kind: "skip", toMs: 300 });
    expect(nextFold({ ...fold, firstBelowMs: 305 })).toEqual({ kind: "skip", toMs: 300 });
  });
});
