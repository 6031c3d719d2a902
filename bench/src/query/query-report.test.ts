import { describe, expect, it } from "vitest";
import type { QueryResult } from "./query-bench.ts";
import { queryReport } from "./query-report.ts";
import { queryTargets } from "./query-targets.ts";

type Figures = { readonly anyTimeframe: number; readonly full: number };

function resultOf(p99s: Figures, changes: Partial<QueryResult> = {}): QueryResult {
  const round = (p99: number) => [...new Array<number>(98).fill(1), p99, p99];
  const rounds = (p99: number) => [round(p99), round(p99), round(p99 * 2)];
  const same = (p99: number) => [round(p99), round(p99), round(p99)];
  return {
    kind: "query",
    machine: { cpu: "a processor", cores: 2, memoryGib: 1, system: "", node: "", day: "2026-01-01" },
    readings: 10_000_000,
    series: 400,
    questionsPerRound: 100,
    peakMemoryMib: 200,
    versions: { duckdb: "v1" },
    load: { before: 0.1, during: { median: 1, minimum: 1, maximum: 2 } },
    latenciesMs: {
      oneRow: same(2),
      anyTimeframe: rounds(p99s.anyTimeframe),
      full: rounds(p99s.full),
      hour: same(5),
      device: rounds(3),
      empty: [
        new Array<number>(3).fill(0.5),
        new Array<number>(3).fill(0.5),
        new Array<number>(3).fill(0.25),
      ],
    },
    scansMs: [[90, 100, 500], [110], [120]],
    bursts: [3000, 3001, 9000].map((answers) => ({ answers, wallMs: 1000, cpuMs: 2000 })),
    ...changes,
  };
}

/** Whether the targets whose text has these words are met. */
function met(words: string, ...result: Parameters<typeof resultOf>): boolean[] {
  return queryTargets(resultOf(...result)).flatMap((target) =>
    target.text.includes(words) ? [target.met] : [],
  );
}

describe("queryTargets", () => {
  it("compare the median of the rounds' p99 ratios", () => {
    expect(met("times that of one", { anyTimeframe: 20, full: 10 })).toEqual([true, true]);
    expect(met("times that of one", { anyTimeframe: 21, full: 10.1 })).toEqual([false, false]);
  });

  it("compare latencies in ms, and state them as multiples of the empty RPC of their round", () => {
    expect(met("p99 of any timeframe at most 9 ms", { anyTimeframe: 9, full: 1 })).toEqual([true]);
    expect(met("p99 of any timeframe at most 9 ms", { anyTimeframe: 9.1, full: 1 })).toEqual([false]);
    const [oneRow] = queryTargets(resultOf({ anyTimeframe: 1, full: 1 })).filter(({ text }) =>
      text.startsWith("p50 of one row"),
    );
    expect(oneRow?.measured).toBe("1.00 (1.00 – 1.00) ms, 2.00 (2.00 – 4.00) times an empty RPC");
  });

  it("compare the full range with the scans of the same round", () => {
    const words = "faster than DuckDB";
    expect(met(words, { anyTimeframe: 1, full: 1 })).toEqual([true]);
    expect(met(words, { anyTimeframe: 1, full: 1 }, { scansMs: [[99], [99], [300]] })).toEqual([false]);
  });

  it("count the answers of many clients for each second of CPU", () => {
    const bursts = [{ answers: 2999, wallMs: 1, cpuMs: 2000 }];
    expect(met("clients at once", { anyTimeframe: 1, full: 1 })).toEqual([true]);
    expect(met("clients at once", { anyTimeframe: 1, full: 1 }, { bursts })).toEqual([false]);
  });
});

describe("queryReport", () => {
  const { markdown, json, svg } = queryReport(resultOf({ anyTimeframe: 20, full: 12 }));

  it("has p50 and p99 of each kind of query", () => {
    expect(markdown).toContain(
      "| one row: one series, one instant | 1.00 (1.00 – 1.00) | 2.00 (2.00 – 2.00) | 2.00 |",
    );
    expect(markdown).toContain(
      "| full range, all devices | 1.00 (1.00 – 1.00) | 12.0 (12.0 – 24.0) | 2.00 |",
    );
  });

  it("states a missed target plainly", () => {
    expect(markdown).toContain(
      "- NOT met: p99 of the full range at most 2 times that of one hour; measured 2.40 (2.40 – 4.80) times",
    );
  });

  it("leaves single latencies out of the figures", () => {
    expect(JSON.stringify(json)).not.toContain("latenciesMs");
    expect(JSON.stringify(json)).not.toContain("scansMs");
  });

  it("draws a bar for each kind and the empty RPC", () => {
    expect(svg.match(/fill="#0969da"/g)).toHaveLength(6);
  });
});
