import { describe, expect, it } from "vitest";
import { countBuckets, fixedGrid } from "../calendar/bucket-grid.ts";
import { pickBucketSize, requestedBucketSize, requestedOrigin } from "./bucket-size.ts";
import { allTime } from "./planner.ts";

const dayMs = 86_400_000;
const sinceMs = Date.UTC(2026, 0, 1);

function pick(lengthMs: number, pointsMax: number, windowMs = 10_000): number {
  return pickBucketSize({ span: { sinceMs, toMs: sinceMs + lengthMs }, pointsMax, windowMs });
}

describe("pickBucketSize", () => {
  it("chooses the smallest round size with at most the given number of buckets", () => {
    expect(pick(3_600_000, 360)).toBe(10_000);
    expect(pick(3_600_000, 359)).toBe(20_000);
    expect(pick(dayMs, 300)).toBe(300_000);
    expect(pick(365 * dayMs, 300)).toBe(2 * dayMs);
  });

  it("counts the buckets that the span only touches", () => {
    const ragged = { sinceMs: sinceMs + 9_999, toMs: sinceMs + 10_001 };
    expect(countBuckets(fixedGrid(10_000), ragged)).toBe(2);
    expect(pickBucketSize({ span: ragged, pointsMax: 1, windowMs: 10_000 })).toBe(20_000);
  });

  it("chooses one bucket for all time", () => {
    const size = pickBucketSize({ span: allTime, pointsMax: 1, windowMs: 10_000 });
    expect(countBuckets(fixedGrid(size), allTime)).toBe(1);
  });

  it("chooses a multiple of the window, round or not", () => {
    expect(pick(60_000, 100, 15_000)).toBe(30_000);
    expect(pick(60_000, 1, 7_000) % 7_000).toBe(0);
    expect(pick(60_000, 1, 11_003) % 11_003).toBe(0);
  });

  it("never chooses whole weeks, which would have to start on a Monday", () => {
    for (let days = 1; days < 4_000_000; days = Math.ceil(days * 1.3)) {
      for (const points of [1, 7, 50, 300]) expect(pick(days * dayMs, points) % (7 * dayMs)).not.toBe(0);
    }
  });

  it("chooses the smallest size for an empty span", () => {
    expect(pick(0, 1)).toBe(10_000);
  });
});

describe("requestedBucketSize", () => {
  it("accepts multiples of the window and rejects all others, naming the window", () => {
    expect(requestedBucketSize({ seconds: 30n, nanos: 0 }, 10_000)).toBe(30_000);
    for (const bucket of [
      { seconds: 15n, nanos: 0 },
      { seconds: 10n, nanos: 1 },
      { seconds: 0n, nanos: 0 },
      { seconds: -10n, nanos: 0 },
    ]) {
      expect(() => requestedBucketSize(bucket, 10_000)).toThrow(/bucket.*10 s/);
    }
  });
});

describe("requestedOrigin", () => {
  it("accepts multiples of the window since 1970 and rejects all others", () => {
    expect(requestedOrigin({ seconds: 20n, nanos: 0 }, 10_000)).toBe(20_000);
    expect(requestedOrigin({ seconds: -20n, nanos: 0 }, 10_000)).toBe(-20_000);
    for (const origin of [
      { seconds: 15n, nanos: 0 },
      { seconds: 10n, nanos: 1 },
    ]) {
      expect(() => requestedOrigin(origin, 10_000)).toThrow(/origin.*10 s/);
    }
  });
});
