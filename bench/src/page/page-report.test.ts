import { describe, expect, it } from "vitest";
import type { PageResult } from "./page-bench.ts";
import { growthOf, pageReport, pageTargets } from "./page-report.ts";

function resultOf(change: Partial<PageResult> = {}): PageResult {
  return {
    kind: "page",
    machine: { cpu: "a processor", cores: 2, memoryGib: 1, system: "", node: "", day: "2026-01-01" },
    browser: "Chromium 1",
    load: { before: 0.5, during: { median: 2, minimum: 1, maximum: 3 } },
    ...{ devices: 200, viewMs: 30_000, memoryMs: 600_000, scriptBytes: 180_000 },
    firstChartMs: [900, 1000, 3000],
    firstChartCpuMs: [150, 200, 210],
    views: [
      { view: "overview", pageCores: 0.1, browserCores: 0.3, longTasksMs: [] },
      { view: "live", pageCores: 0.05, browserCores: 0.2, longTasksMs: [] },
    ],
    heapBytes: [100, 120, 90, 105, 110, 105, 100, 109, 130],
    ...change,
  };
}

const met = (change?: Partial<PageResult>) => pageTargets(resultOf(change)).map((target) => target.met);

describe("pageTargets", () => {
  it("are met up to their limits", () => {
    expect(met()).toEqual([true, true, true, true, true]);
  });

  it("judge the median of the first charts, the busiest view, and any long task", () => {
    expect(met({ scriptBytes: 180_001, firstChartMs: [1001, 10, 1002] }).slice(0, 2)).toEqual([false, false]);
    const busy = { view: "live", pageCores: 0.1, browserCores: 0.31, longTasksMs: [51] };
    expect(met({ views: [busy] }).slice(2, 4)).toEqual([false, false]);
    expect(met({ heapBytes: [100, 100, 100, 111] })[4]).toBe(false);
  });
});

it("growth is the ratio of the medians at both ends of the samples, so that no single sample decides", () => {
  expect(growthOf([100, 900, 110, 500, 500, 500, 220, 220, 900])).toBeCloseTo(1, 9);
  expect(growthOf([100])).toBe(0);
});

it("the report has a row for each view and states the load of the machine", () => {
  const { markdown, svg } = pageReport(resultOf());
  expect(markdown).toContain("| overview | 0.300 | 0.100 | 0 | – |");
  expect(markdown).toContain("0.500 before, 2.00 (1.00 – 3.00) during");
  expect(svg).toContain("CPU of the browser with 200 live series");
});
