import { describe, expect, it } from "vitest";
import { lagTrend, observeLive } from "./live-part.ts";
import type { ObservedBatch } from "./observed-batches.ts";

const batch = (number: number): ObservedBatch => ({
  batch: number,
  rows: 1,
  batchMs: 1,
  seenAtMs: 1,
  sparkCpuMs: 1,
});

describe("a live part", () => {
  it("counts the batches and the CPU time of its own work only, and the lag during it", async () => {
    const batches = [batch(0)];
    let cpuMs = 70;
    const part = await observeLive(
      async () => {
        batches.push(batch(1));
        cpuMs += 30;
      },
      {
        batches,
        sparkCpuMs: () => cpuMs,
        lag: async () => 9,
        onFailure: (error) => expect.fail(String(error)),
      },
    );
    expect(part.batches).toEqual([batch(1)]);
    expect(part.sparkCpuMs).toBe(30);
    expect(part.lag).toEqual([9]);
  });
});

describe("the trend of a lag", () => {
  it("compares the median of the middle third with that of the last", () => {
    expect(lagTrend([900, 900, 1, 2, 3, 90, 2, 3, 4, 5])).toEqual({ middle: 3, last: 4 });
    expect(() => lagTrend([1, 2])).toThrow(RangeError);
  });
});
