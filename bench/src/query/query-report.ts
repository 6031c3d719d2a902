import { barChartSvg } from "../report/chart.ts";
import { figure, markdownTable, roundsText, spreadText, type Target, targetText } from "../report/figures.ts";
import { machineText } from "../report/machine.ts";
import type { Report } from "../report/report.ts";
import { percentile, type Spread, spreadOf } from "../report/statistics.ts";
import type { QueryResult } from "./query-bench.ts";
import { type QuestionKind, questionKinds, questionTexts } from "./query-questions.ts";

const ratioTargets = [
  {
    of: "anyTimeframe",
    to: "oneRow",
    most: 10,
    text: "p99 of any timeframe at most 10 times that of one row",
  },
  { of: "full", to: "hour", most: 2, text: "p99 of the full range at most 2 times that of one hour" },
] as const;

/** The targets of the query bench and their measurements: the median of the rounds' ratios. */
export function queryTargets(result: QueryResult): Target[] {
  return ratioTargets.map(({ of, to, most, text }) => {
    const below = p99s(result, to);
    const ratio = spreadOf(p99s(result, of).map((p99, round) => p99 / below[round]!));
    return { text, measured: `${spreadText(ratio)} times`, met: ratio.median <= most };
  });
}

/** The report: a table, the targets, a chart. */
export function queryReport(result: QueryResult): Report {
  const targets = queryTargets(result);
  return {
    name: "query",
    markdown: markdown(result, targets),
    json: { ...withoutLatencies(result), kinds: summaries(result), targets },
    svg: barChartSvg({
      title: `Time to an exact answer over ${result.readings.toLocaleString("en-US")} readings`,
      subtitle: `p99 of ${result.questionsPerRound} questions: median of ${roundsText(roundsOf(result))}, line from minimum to maximum; ${result.machine.cpu}, ${result.machine.day}`,
      axis: "ms, asked through gRPC on loopback (logarithmic)",
      bars: summaries(result).map(({ kind, p99Ms }) => ({
        label: questionTexts[kind],
        spread: p99Ms,
        text: `${figure(p99Ms.median)} ms`,
        ours: true,
      })),
    }),
    targets,
  };
}

type Summary = { readonly kind: QuestionKind; readonly p50Ms: Spread; readonly p99Ms: Spread };

function summaries(result: QueryResult): Summary[] {
  return questionKinds.map((kind) => ({
    kind,
    p50Ms: spreadOf(result.latenciesMs[kind].map((round) => percentile(round, 0.5))),
    p99Ms: spreadOf(p99s(result, kind)),
  }));
}

function p99s({ latenciesMs }: QueryResult, kind: QuestionKind): number[] {
  return latenciesMs[kind].map((round) => percentile(round, 0.99));
}

function roundsOf({ latenciesMs }: QueryResult): number {
  return latenciesMs.oneRow.length;
}

function withoutLatencies({ latenciesMs: _, ...rest }: QueryResult): Omit<QueryResult, "latenciesMs"> {
  return rest;
}

function markdown(result: QueryResult, targets: readonly Target[]): string {
  const rows = summaries(result).map(({ kind, p50Ms, p99Ms }) => [
    questionTexts[kind],
    spreadText(p50Ms),
    spreadText(p99Ms),
  ]);
  const versions = Object.entries(result.versions).map(([name, version]) => `${name} ${version}`);
  return `# Query

How long an exact answer of \`GetAggregates\` takes over ${result.readings.toLocaleString("en-US")} stored readings. Median (minimum – maximum) of ${roundsText(roundsOf(result))} of ${result.questionsPerRound} questions of each kind, shuffled, one at a time, through gRPC on loopback. Server and client have a process each; a statement of the store uses one thread.

${markdownTable(["Question", "p50 ms", "p99 ms"], rows)}

${targets.map((target) => `- ${targetText(target)}`).join("\n")}

Readings: ${result.series} series (${result.series / 4} devices with four sensors), one a second each, written through the store's log as if they had come live, and folded. Every bound of a question is at any millisecond, so raw readings complete the windows at both edges. All devices: a row for each sensor.

${machineText(result.machine)}. ${versions.join(", ")}. Peak memory of the server: ${figure(result.peakMemoryMib)} MiB.
`;
}
