import { describe, expect, it } from "vitest";
import type { WatchResult, WatchRound } from "./watch-bench.ts";
import { watchReport, watchTargets } from "./watch-report.ts";

function resultOf(p99s: { readonly beside: number; readonly gap: number }): WatchResult {
  const answers = (p99: number) => [...new Array<number>(98).fill(1), p99, p99];
  const round = (factor: number): WatchRound => ({
    aloneMs: answers(10),
    besideMs: answers(p99s.beside * factor),
    firstMs: [5, 50],
    longestGapsMs: [900, p99s.gap * factor],
    messagesPerSecond: [1.4, 1.2],
    coresAlone: 0.2,
    coresBeside: 0.6,
  });
  return {
    kind: "watch",
    machine: { cpu: "a processor", cores: 2, memoryGib: 1, system: "", node: "", day: "2026-01-01" },
    load: { before: 0.5, during: { median: 2, minimum: 1, maximum: 3 } },
    watchers: 1000,
    questions: 50,
    devices: 100,
    roundMs: 5000,
    peakMemoryMib: 200,
    rounds: [round(1), round(1), round(3)],
  };
}

describe("watchTargets", () => {
  it("compare the medians of the rounds: p99 beside watchers to p99 without, and the longest silence", () => {
    const met = (p99s: { beside: number; gap: number }) =>
      watchTargets(resultOf(p99s)).map((target) => target.met);
    expect(met({ beside: 20, gap: 1000 })).toEqual([true, true]);
    expect(met({ beside: 20.1, gap: 1001 })).toEqual([false, false]);
  });
});

describe("watchReport", () => {
  const { markdown, json, svg } = watchReport(resultOf({ beside: 15, gap: 950 }));

  it("shows both sides, the watchers' messages, and the load of the machine", () => {
    expect(markdown).toContain(
      "| answer to another caller, p99 ms | 10.0 (10.0 – 10.0) | 15.0 (15.0 – 45.0) |",
    );
    expect(markdown).toContain("| messages of a watch in a second, fewest | – | 1.20 (1.20 – 1.20) |");
    expect(markdown).toContain("met: p99 of other callers beside 1,000 watchers of 50 questions");
    expect(markdown).toContain("0.500 before, 2.00 (1.00 – 3.00) during");
  });

  it("has figures that programs can read, and a chart of both sides", () => {
    expect(json).toMatchObject({ rounds: [{ besideMs: { p99: 15 } }, {}, { besideMs: { p99: 45 } }] });
    expect(svg).toContain("beside 1,000 watchers of 50 questions");
  });
});
