import { describe, expect, it } from "vitest";
import type { QueryResult } from "./query-bench.ts";
import { queryReport, queryTargets } from "./query-report.ts";

function resultOf(p99s: { anyTimeframe: number; full: number }): QueryResult {
  const round = (p99: number) => [...new Array<number>(98).fill(1), p99, p99];
  const rounds = (p99: number) => [round(p99), round(p99), round(p99 * 2)];
  return {
    kind: "query",
    machine: { cpu: "a processor", cores: 2, memoryGib: 1, system: "", node: "", day: "2026-01-01" },
    readings: 10_000_000,
    series: 400,
    questionsPerRound: 100,
    peakMemoryMib: 200,
    versions: { duckdb: "v1" },
    latenciesMs: {
      oneRow: [round(2), round(2), round(2)],
      anyTimeframe: rounds(p99s.anyTimeframe),
      full: rounds(p99s.full),
      hour: [round(5), round(5), round(5)],
      device: rounds(3),
    },
  };
}

describe("queryTargets", () => {
  it("judges by the median of the rounds' p99 ratios", () => {
    expect(queryTargets(resultOf({ anyTimeframe: 20, full: 10 })).map(({ met }) => met)).toEqual([
      true,
      true,
    ]);
    expect(queryTargets(resultOf({ anyTimeframe: 21, full: 10.1 })).map(({ met }) => met)).toEqual([
      false,
      false,
    ]);
  });
});

describe("queryReport", () => {
  const { markdown, json, svg } = queryReport(resultOf({ anyTimeframe: 20, full: 12 }));

  it("has p50 and p99 of each kind of query", () => {
    expect(markdown).toContain(
      "| one row: one series, one instant | 1.00 (1.00 – 1.00) | 2.00 (2.00 – 2.00) |",
    );
    expect(markdown).toContain("| full range, all devices | 1.00 (1.00 – 1.00) | 12.0 (12.0 – 24.0) |");
  });

  it("states a missed target plainly", () => {
    expect(markdown).toContain(
      "- NOT met: p99 of the full range at most 2 times that of one hour; measured 2.40 (2.40 – 4.80) times",
    );
  });

  it("leaves single latencies out of the figures", () => {
    expect(JSON.stringify(json)).not.toContain("latenciesMs");
  });

  it("draws a bar for each kind", () => {
    expect(svg.match(/fill="#0969da"/g)).toHaveLength(5);
  });
});
