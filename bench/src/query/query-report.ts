import { barChartSvg } from "../report/chart.ts";
import { figure, markdownTable, roundsText, spreadText, type Target, targetText } from "../report/figures.ts";
import { machineText } from "../report/machine.ts";
import type { Report } from "../report/report.ts";
import { type Spread, spreadOf } from "../report/statistics.ts";
import { burstClients } from "./concurrent-clients.ts";
import type { QueryResult } from "./query-bench.ts";
import { type AskedKind, askedKinds, askedTexts } from "./query-questions.ts";
import { percentiles, queryTargets, scanMedians, timesEmpty } from "./query-targets.ts";

/** The report: a table, the targets, a chart. */
export function queryReport(result: QueryResult): Report {
  const targets = queryTargets(result);
  return {
    name: "query",
    markdown: markdown(result, targets),
    json: { ...withoutLatencies(result), kinds: summaries(result), scanMs: scanOf(result), targets },
    svg: barChartSvg({
      title: `Time to an exact answer over ${result.readings.toLocaleString("en-US")} readings`,
      subtitle: `p99 of ${result.questionsPerRound} questions: median of ${roundsText(roundsOf(result))}, line from minimum to maximum; ${result.machine.cpu}, ${result.machine.day}`,
      axis: "ms, asked through gRPC on loopback (logarithmic)",
      bars: summaries(result).map(({ kind, p99Ms }) => ({
        label: askedTexts[kind],
        spread: p99Ms,
        text: `${figure(p99Ms.median)} ms`,
        ours: true,
      })),
    }),
    targets,
  };
}

type Summary = {
  readonly kind: AskedKind;
  readonly p50Ms: Spread;
  readonly p99Ms: Spread;
  readonly p50TimesEmpty: Spread;
};

function summaries(result: QueryResult): Summary[] {
  return askedKinds.map((kind) => ({
    kind,
    p50Ms: spreadOf(percentiles(result, kind, 0.5)),
    p99Ms: spreadOf(percentiles(result, kind, 0.99)),
    p50TimesEmpty: timesEmpty(result, kind, 0.5),
  }));
}

function scanOf(result: QueryResult): Spread {
  return spreadOf(scanMedians(result));
}

function roundsOf({ latenciesMs }: QueryResult): number {
  return latenciesMs.oneRow.length;
}

function withoutLatencies({ latenciesMs: _, scansMs: __, ...rest }: QueryResult) {
  return rest;
}

function markdown(result: QueryResult, targets: readonly Target[]): string {
  const rows = summaries(result).map(({ kind, p50Ms, p99Ms, p50TimesEmpty }) => [
    askedTexts[kind],
    spreadText(p50Ms),
    spreadText(p99Ms),
    figure(p50TimesEmpty.median),
  ]);
  const { load } = result;
  const versions = Object.entries(result.versions).map(([name, version]) => `${name} ${version}`);
  return `# Query

How long an exact answer of \`GetAggregates\` takes over ${result.readings.toLocaleString("en-US")} stored readings. Median (minimum – maximum) of ${roundsText(roundsOf(result))} of ${result.questionsPerRound} questions of each kind, shuffled, one at a time, through gRPC on loopback. Server and client have a process each; a statement of the store uses one thread.

${markdownTable(["Question", "p50 ms", "p99 ms", "p50 as a multiple of the empty RPC"], rows)}

${targets.map((target) => `- ${targetText(target)}`).join("\n")}

Readings: ${result.series} series (${result.series / 4} devices with four sensors), one a second each, written through the store's log as if they had come live, and folded. Every bound of a question is at any millisecond, so raw readings complete the windows at both edges. All devices: a row for each sensor.

The scan is DuckDB with one thread over a copy of the file, of which only the raw readings are read: a prepared statement with the same figures, grouped by sensor, in ${spreadText(scanOf(result))} ms. The ${burstClients} clients have a connection each and ask for any timeframe, one question at a time; the CPU is that of the server with all its threads. Load average of the last minute: ${figure(load.before)} before, ${spreadText(load.during)} during the run, of which this bench needs about 1.5.

${machineText(result.machine)}. ${versions.join(", ")}. Peak memory of the server: ${figure(result.peakMemoryMib)} MiB.
`;
}
