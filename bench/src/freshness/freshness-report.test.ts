import { describe, expect, it } from "vitest";
import type { FreshnessResult } from "./freshness-bench.ts";
import { freshnessReport, freshnessTargets, partTimes } from "./freshness-report.ts";

const result: FreshnessResult = {
  kind: "freshness",
  machine: { cpu: "a CPU", cores: 2, memoryGib: 8, system: "Linux 6", node: "v24.0.0", day: "2026-11-30" },
  load: { before: 0.5, during: { median: 2, minimum: 1, maximum: 3 } },
  devices: 500,
  seconds: 60,
  probes: { storedMs: [10, 20], inAnswerMs: [30, 40], coveredMs: [6000, 11_000] },
  segments: [
    { endMs: 10_000, batchBegan: 11_000, batchEnded: 11_400, lastPartial: 11_380, answered: 12_000 },
    { endMs: 20_000, batchBegan: 21_200, batchEnded: 21_600 },
  ],
  batches: [
    { batch: 1, beganMs: 11_000, durationMs: 400, watermarkMs: 10_000, rows: 500, steps: { addBatch: 300 } },
  ],
  cores: { spark: 0.5 },
  database: "stand-in",
};

describe("the report of freshness", () => {
  it("states each part of the way by the end of the segment, from the segments in which it was seen", () => {
    const parts = partTimes(result.segments);
    expect(parts[0]).toEqual({ what: "the batch that closes it begins", ms: [1000, 1200] });
    expect(parts.at(-1)).toEqual({ what: "an answer states the frontier", ms: [2000] });
    const { markdown } = freshnessReport(result);
    expect(markdown).toContain("| the batch that closes it begins | 1,100 (1,000 – 1,200) | 2 |");
    expect(markdown).toContain("| addBatch | 300 (300 – 300) |");
    expect(markdown).toContain("| spark | 0.500 |");
  });

  it("judges both percentiles of each target", () => {
    expect(freshnessTargets(result).map(({ met }) => met)).toEqual([true, true]);
    const late = { ...result.probes, coveredMs: [6000, 12_001], inAnswerMs: [51, 52] };
    expect(freshnessTargets({ probes: late }).map(({ met }) => met)).toEqual([false, false]);
  });
});
