import { describe, expect, it } from "vitest";
import type { LivePart } from "./live-part.ts";
import type { WindowsResult } from "./windows-bench.ts";
import { rowsPerSecond, windowsReport, windowsTargets } from "./windows-report.ts";

function part(lag: readonly number[]): LivePart {
  const batch = { batch: 1, rows: 20_000, batchMs: 800, seenAtMs: 1, sparkCpuMs: 1 };
  return { seconds: 60, batches: [batch], sparkCpuMs: 30_000, lag };
}

const result: WindowsResult = {
  kind: "windows",
  machine: { cpu: "A CPU", cores: 2, memoryGib: 8, system: "Linux 6", node: "v24", day: "2026-11-25" },
  load: { before: 0.5, during: { median: 3, minimum: 1, maximum: 4 } },
  partitions: 4,
  readings: 4_200_000,
  firstBatchSeconds: 18,
  cold: { batches: 3, rows: 600_000, batchMs: 24_000, sparkCpuMs: 60_000 },
  warm: { batches: 10, rows: 2_000_000, batchMs: 20_000, sparkCpuMs: 40_000 },
  rest: part([4, 4, 4]),
  liveReadingsPerSecond: 20_000,
  live: part([9, 100, 20_000, 21_000, 19_000, 20_000]),
};

describe("the report of windows", () => {
  it("divides rows by the time of their batches and by Spark's CPU time", () => {
    expect(rowsPerSecond(result.warm)).toBe(100_000);
    expect(windowsReport(result).markdown).toContain(
      "| warm, after that | 2,000,000 | 10 | 100,000 | 50,000 |",
    );
    expect(windowsReport(result).markdown).toContain(
      "| 20,000 readings/s | 1 | 20,000 | 0.800 (0.800 – 0.800) | 0.50 |",
    );
  });

  it("has targets that are met or not", () => {
    expect(windowsTargets(result).map(({ met }) => met)).toEqual([true, true, true]);
    const slow: WindowsResult = {
      ...result,
      firstBatchSeconds: 21,
      warm: result.cold,
      live: part([0, 0, 20_000, 20_000, 90_000, 99_000]),
    };
    expect(windowsTargets(slow).map(({ met }) => met)).toEqual([false, false, false]);
  });
});
