import { describe, expect, it } from "vitest";
import { createProbeTimes } from "./probe-times.ts";

describe("createProbeTimes", () => {
  it("measures each probe's time to the first answer that counts it, and to the first frontier after it", () => {
    const times = createProbeTimes();
    times.acknowledged(1000);
    times.answered({ count: 0, frontierMs: 500, nowMs: 1050 });
    times.acknowledged(1300);
    expect(times.unanswered).toBe(2);
    times.answered({ count: 1, frontierMs: 1000, nowMs: 1350 });
    times.answered({ count: 2, frontierMs: 1001, nowMs: 1400 });
    times.stored(2, 1390);
    expect(times.open).toBe(1);
    times.answered({ count: 2, frontierMs: 2000, nowMs: 1900 });
    expect(times.open).toBe(0);
    expect(times.delays()).toEqual({
      storedMs: [390, 90],
      inAnswerMs: [350, 100],
      coveredMs: [400, 600],
    });
    expect(times.delays({ to: 1 })).toEqual({ storedMs: [390], inAnswerMs: [350], coveredMs: [400] });
    expect(times.delays({ from: 1 })).toEqual({ storedMs: [90], inAnswerMs: [100], coveredMs: [600] });
  });

  it("counts 0 for a probe that is answered before its acknowledgement arrives", () => {
    const times = createProbeTimes();
    times.answered({ count: 1, frontierMs: 0, nowMs: 990 });
    expect(times.unanswered).toBe(0);
    times.acknowledged(1000);
    expect(times.delays()).toEqual({ storedMs: [], inAnswerMs: [0], coveredMs: [] });
    expect(times.open).toBe(1);
  });
});
