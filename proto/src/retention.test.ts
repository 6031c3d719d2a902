import { describe, expect, it } from "vitest";
import { defaultLevels } from "./levels.ts";
import { earliestAcceptedMs, keptSinceAt, retentionProblem } from "./retention.ts";

const day = 86_400_000;
const nowMs = Date.UTC(2026, 10, 24, 13, 5);
const nothingGone = { rawMs: -Infinity, levelsMs: [-Infinity, -Infinity, -Infinity] };
const retention = { rawMs: 7 * day, levelsMs: [30 * day, 365 * day, undefined] };

describe("keptSinceAt", () => {
  it("rounds down to whole windows of the coarsest level", () => {
    const kept = keptSinceAt({ retention, levels: defaultLevels, before: nothingGone, nowMs });
    expect(kept).toEqual({
      rawMs: Date.UTC(2026, 10, 17),
      levelsMs: [Date.UTC(2026, 9, 25), Date.UTC(2025, 10, 24), -Infinity],
    });
  });

  it("never lowers a mark", () => {
    const before = { rawMs: nowMs, levelsMs: [nowMs, -Infinity, -Infinity] };
    const kept = keptSinceAt({ retention, levels: defaultLevels, before, nowMs });
    expect(kept.rawMs).toBe(nowMs);
    expect(kept.levelsMs[0]).toBe(nowMs);
  });

  it("keeps the raw readings of every age that is still accepted", () => {
    for (let hour = 0; hour < 48; hour++) {
      const at = nowMs + hour * 3_600_000;
      const kept = keptSinceAt({ retention, levels: defaultLevels, before: nothingGone, nowMs: at });
      expect(kept.rawMs).toBeLessThan(earliestAcceptedMs(retention, kept, at));
    }
  });
});

describe("retentionProblem", () => {
  it("accepts longer retention for coarser levels", () => {
    expect(retentionProblem(retention)).toBeUndefined();
    expect(
      retentionProblem({ rawMs: undefined, levelsMs: [undefined, undefined, undefined] }),
    ).toBeUndefined();
  });

  it("names the level that would end before a finer one", () => {
    expect(retentionProblem({ rawMs: undefined, levelsMs: [day, undefined, undefined] })).toContain(
      "level 0",
    );
    expect(retentionProblem({ rawMs: day, levelsMs: [2 * day, day, undefined] })).toContain("level 1");
  });
});

describe("earliestAcceptedMs", () => {
  const kept = { ...nothingGone, rawMs: nowMs - 3 * day };

  it("is never before the mark, whatever the retention is now", () => {
    const lengths = [undefined, day, 2 * day, 30 * day];
    const limits = lengths.map((rawMs) => earliestAcceptedMs({ rawMs, levelsMs: [] }, kept, nowMs));
    expect(limits).toEqual([nowMs - 3 * day, nowMs - day, nowMs - 2 * day, nowMs - 3 * day]);
  });
});
