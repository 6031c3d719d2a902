import { type BarChart, barChartSvg } from "../report/chart.ts";
import { figure, markdownTable, spreadText, type Target, targetText } from "../report/figures.ts";
import { machineText } from "../report/machine.ts";
import type { Report } from "../report/report.ts";
import { percentilesOf, spreadOf } from "../report/statistics.ts";
import type { FreshnessResult } from "./freshness-bench.ts";
import { type SegmentHops, segmentParts } from "./hops.ts";

/** The targets, with what was measured. */
export function freshnessTargets({ probes }: Pick<FreshnessResult, "probes">): Target[] {
  const target = (
    what: string,
    ms: readonly number[],
    limits: { readonly p50: number; readonly p99: number },
  ) => {
    const { p50, p99 } = percentilesOf(ms);
    return {
      text: `${what}: p50 ≤ ${figure(limits.p50 / 1000)} s, p99 ≤ ${figure(limits.p99 / 1000)} s`,
      measured: `${figure(p50 / 1000)} and ${figure(p99 / 1000)} s`,
      met: p50 <= limits.p50 && p99 <= limits.p99,
    };
  };
  return [
    target("from the acknowledgement until the frontier has passed the reading", probes.coveredMs, {
      p50: 7000,
      p99: 12_000,
    }),
    target("from the acknowledgement until an answer counts the reading", probes.inAnswerMs, {
      p50: 50,
      p99: 300,
    }),
  ];
}

/** The report: the targets, and tables of the parts. */
export function freshnessReport(result: FreshnessResult): Report {
  const targets = freshnessTargets(result);
  return {
    name: "freshness",
    markdown: markdown(result, targets),
    json: { ...result, targets },
    svg: barChartSvg(chart(result)),
    targets,
  };
}

/** The times from the end of a segment to each part, in ms, over all segments in which it was seen. */
export function partTimes(
  segments: readonly SegmentHops[],
): { readonly what: string; readonly ms: number[] }[] {
  return segmentParts.map(([part, what]) => ({
    what,
    ms: segments.flatMap((segment) => {
      const atMs = segment[part];
      return atMs === undefined ? [] : [atMs - segment.endMs];
    }),
  }));
}

function segmentTable({ segments }: FreshnessResult): string {
  const rows = partTimes(segments)
    .filter(({ ms }) => ms.length > 0)
    .map(({ what, ms }) => [what, spreadText(spreadOf(ms)), String(ms.length)]);
  return markdownTable(["Part", "ms after the segment's end", "segments"], rows);
}

function batchTable({ batches }: FreshnessResult): string {
  const names = [...new Set(batches.flatMap(({ steps }) => Object.keys(steps)))].sort();
  const rows = names.map((name) => [
    name,
    spreadText(spreadOf(batches.map(({ steps }) => steps[name] ?? 0))),
  ]);
  return markdownTable(["Step of a batch", "ms"], rows);
}

function coresTable({ cores }: FreshnessResult): string {
  return markdownTable(
    ["Process", "cores busy"],
    Object.entries(cores).map(([name, busy]) => [name, busy.toFixed(3)]),
  );
}

function markdown(result: FreshnessResult, targets: readonly Target[]): string {
  const { devices, seconds, probes, batches, machine, load, database } = result;
  const delays = [
    ["in the database", probes.storedMs],
    ["in an answer", probes.inAnswerMs],
    ["covered by the frontier", probes.coveredMs],
  ] as const;
  const rows = delays.map(([what, ms]) => {
    const { p50, p99 } = percentilesOf(ms);
    return [what, figure(p50), figure(p99), String(ms.length)];
  });
  return `# Freshness

Single readings behind the real mesh on one machine, while ${devices} devices send one a second each: ${seconds} s after a warm-up.

${targets.map((target) => `- ${targetText(target)}`).join("\n")}

## From the acknowledgement

${markdownTable(["Until it is", "p50, ms", "p99, ms", "probes"], rows)}

## From the end of a segment to its frontier

A reading waits 5 s for the end of its segment on average, and 10 s at most.

${segmentTable(result)}

## The window job

${batches.length} batches, ${figure((batches.length / seconds) * 60)} a minute.

${batchTable(result)}

## CPU

${coresTable(result)}

Spreads: median (minimum – maximum).${database === "stand-in" ? " The database is a stand-in that speaks MongoDB's protocol, not MongoDB." : ""}

${machineText(machine)}. Load average of the machine: ${figure(load.before)} before, ${spreadText(load.during)} while it ran.
`;
}

function chart(result: FreshnessResult): BarChart {
  return {
    title: "From the end of a segment until its windows are in answers",
    subtitle: `median of the segments, line from minimum to maximum; ${result.machine.cpu}, ${result.machine.day}`,
    axis: "ms (logarithmic)",
    bars: partTimes(result.segments)
      .filter(({ ms }) => ms.length > 0)
      .map(({ what, ms }) => {
        const spread = spreadOf(ms);
        return { label: what, spread, text: `${figure(spread.median)} ms`, ours: true };
      }),
  };
}
