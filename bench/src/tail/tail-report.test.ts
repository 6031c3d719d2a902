import { expect, it } from "vitest";
import type { TailResult } from "./tail-bench.ts";
import { tailReport, tailTargets } from "./tail-report.ts";

const result: TailResult = {
  kind: "tail",
  machine: { cpu: "A CPU", cores: 2, memoryGib: 8, system: "Linux 6", node: "v24", day: "2026-11-25" },
  load: { before: 0.5, during: { median: 3, minimum: 1, maximum: 4 } },
  database: "stand-in",
  devices: 1000,
  tailSeconds: 600,
  startingMs: [9000, 3000, 400],
  latenciesMs: [...Array(98).fill(300), 1900, 5000],
  readings: 661_000,
  peakMemoryMib: 210,
};

it("the report of the tail has the time after the start of query and the percentiles of later answers", () => {
  const { markdown } = tailReport(result);
  expect(markdown).toContain("| the first answer after the start of query, over all of them | 9.00 s |");
  expect(markdown).toContain("takes less than a second | 12.4 s |");
  expect(markdown).toContain("p50 / p99 of 100 | 0.300 s / 1.90 s |");
  expect(tailTargets(result)).toMatchObject([{ met: true, measured: "1.90 s" }]);
  expect(tailTargets({ ...result, latenciesMs: Array(10).fill(2100) })).toMatchObject([{ met: false }]);
});
