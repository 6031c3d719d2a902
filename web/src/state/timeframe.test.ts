import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { boundsAt, movedSpan, parseTimeframe, type Timeframe, timeframeText } from "./timeframe.ts";

const spans = fc
  .tuple(fc.integer({ min: 0, max: 4e12 }), fc.integer({ min: 1, max: 1e12 }))
  .map(([sinceMs, length]): Timeframe => ({ kind: "between", sinceMs, toMs: sinceMs + length }));

describe("timeframes", () => {
  it("are read back unchanged from the URL", () => {
    fc.assert(
      fc.property(spans, (span) => {
        expect(parseTimeframe(timeframeText(span))).toEqual(span);
      }),
    );
    for (const name of ["15m", "1h", "24h", "7d", "30d", "all"])
      expect(timeframeText(parseTimeframe(name))).toBe(name);
  });

  it("are the last hour if the URL contains no valid timeframe", () => {
    for (const text of [undefined, "", "yesterday", "2026-01-02..2026-01-01", "toString", "2026-01-01"])
      expect(parseTimeframe(text)).toEqual({ kind: "last", spanMs: 3_600_000 });
  });

  it("that end now include the current second", () => {
    const nowMs = Date.UTC(2026, 0, 1, 12, 0, 0, 1);
    expect(boundsAt({ kind: "last", spanMs: 60_000 }, nowMs)).toEqual({
      sinceMs: Date.UTC(2026, 0, 1, 11, 59, 1),
      toMs: Date.UTC(2026, 0, 1, 12, 0, 1),
    });
    expect(boundsAt({ kind: "all" }, nowMs)).toEqual({});
  });

  it("never become empty or reversed when they are moved or scaled", () => {
    const changes = fc.record({
      shift: fc.constantFrom(-0.5, 0, 0.5),
      scale: fc.constantFrom(0.5, 1, 2),
      centre: fc.double({ min: 0, max: 1, noNaN: true }),
    });
    fc.assert(
      fc.property(spans, changes, (span, change) => {
        if (span.kind !== "between") return;
        const moved = movedSpan(span, change);
        expect(moved.kind === "between" && moved.sinceMs < moved.toMs).toBe(true);
        expect(parseTimeframe(timeframeText(moved))).toEqual(moved);
      }),
    );
  });
});
