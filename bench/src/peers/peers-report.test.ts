import { expect, it } from "vitest";
import type { PeerResult, PeersResult } from "./peers-bench.ts";
import { peersReport } from "./peers-report.ts";

const peer = (name: string, exact: number): PeerResult => ({
  name,
  version: `${name} 1.0`,
  settings: "its own",
  durable: true,
  cpuMicrosPerReading: 1.25,
  readingsPerSecond: 100_000,
  bytesPerReading: 12,
  memoryMib: 300,
  exact,
  asked: 100,
  ...(exact < 100 ? { firstWrong: "a wrong answer" } : {}),
  oneSeriesMs: { p50: 1, p99: 2 },
  allSeriesMs: { p50: 3, p99: 4 },
});

const result = (exact: number): PeersResult => ({
  machine: { cpu: "a processor", cores: 2, memoryGib: 1, system: "", node: "", day: "2026-01-01" },
  distinct: 1000,
  sent: 1050,
  peers: [peer("Device Mesh", exact), peer("Another", 97)],
  original: {
    ingestMicrosPerReading: 80,
    jobMicrosPerReading: 20,
    exact: 3,
    asked: 100,
    exactOnBorders: 40,
    counted: 900,
    firstWrong: "an average of averages",
  },
  missing: [{ name: "InfluxDB", text: "influxd" }],
});

it("reports each system, the original's answers, and what is missing", () => {
  const { markdown } = peersReport(result(100));
  expect(markdown).toContain("| Another | 1.25 | yes | 12.0 | 300 | 1.00 / 2.00 | 3.00 / 4.00 | 97 of 100 |");
  expect(markdown).toContain("First answer that is not exact: `a wrong answer`");
  expect(markdown).toContain("| the original design | 100 | no | – | – | – | – | 3 of 100 |");
  expect(markdown).toContain("- **InfluxDB** was not measured; missing: influxd.");
});

it("misses its target if one answer of Device Mesh is not exact", () => {
  expect(peersReport(result(100)).targets.map(({ met }) => met)).toEqual([true]);
  expect(peersReport(result(99)).targets.map(({ met }) => met)).toEqual([false]);
});
