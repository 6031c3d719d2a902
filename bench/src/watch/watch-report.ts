import { barChartSvg } from "../report/chart.ts";
import { figure, markdownTable, roundsText, spreadText, type Target, targetText } from "../report/figures.ts";
import { machineText } from "../report/machine.ts";
import type { Report } from "../report/report.ts";
import { percentile, percentilesOf, type Spread, spreadOf } from "../report/statistics.ts";
import type { WatchResult, WatchRound } from "./watch-bench.ts";

/** The allowed slow-down of other callers beside watchers, by p99. */
const slowerMax = 2;
/** Every watcher receives a message at least once in this time, in ms. */
const gapMaxMs = 1000;

/** The targets of the watch bench and their measurements. */
export function watchTargets(result: WatchResult): Target[] {
  const slower = overRounds(
    result,
    ({ aloneMs, besideMs }) => percentile(besideMs, 0.99) / percentile(aloneMs, 0.99),
  );
  const gap = overRounds(result, ({ longestGapsMs }) => Math.max(...longestGapsMs));
  return [
    {
      text: `p99 of other callers beside ${watchersText(result)} at most ${slowerMax} times that without them`,
      measured: `${spreadText(slower)} times`,
      met: slower.median <= slowerMax,
    },
    {
      text: "every watcher has a message at least once a second",
      measured: `at most ${spreadText(gap)} ms without one`,
      met: gap.median <= gapMaxMs,
    },
  ];
}

/** The report: a table, the targets, a chart. */
export function watchReport(result: WatchResult): Report {
  const targets = watchTargets(result);
  const p99 = (of: "aloneMs" | "besideMs") => overRounds(result, (round) => percentile(round[of], 0.99));
  const bars = [
    { label: "without watchers", spread: p99("aloneMs") },
    { label: `beside ${watchersText(result)}`, spread: p99("besideMs") },
  ];
  return {
    name: "watch",
    markdown: markdown(result, targets),
    json: { ...result, rounds: result.rounds.map(summaryOf), targets },
    svg: barChartSvg({
      title: "Time to an answer for other callers, without and beside watchers",
      subtitle: `p99: median of ${roundsText(result.rounds.length)}, line from minimum to maximum; ${result.machine.cpu}, ${result.machine.day}`,
      axis: "ms, asked through gRPC on loopback (logarithmic)",
      bars: bars.map((bar, place) => ({
        ...bar,
        text: `${figure(bar.spread.median)} ms`,
        ours: place === 1,
      })),
    }),
    targets,
  };
}

function overRounds({ rounds }: WatchResult, value: (round: WatchRound) => number): Spread {
  return spreadOf(rounds.map(value));
}

function watchersText({ watchers, questions }: WatchResult): string {
  return `${watchers.toLocaleString("en-US")} watchers of ${questions} questions`;
}

/** Summarizes a round. */
function summaryOf(round: WatchRound) {
  const ends = (values: readonly number[]) => ({
    ...percentilesOf(values),
    maximum: Math.max(...values),
  });
  return {
    aloneMs: ends(round.aloneMs),
    besideMs: ends(round.besideMs),
    firstMs: ends(round.firstMs),
    longestGapsMs: ends(round.longestGapsMs),
    messagesPerSecondMin: Math.min(...round.messagesPerSecond),
    coresAlone: round.coresAlone,
    coresBeside: round.coresBeside,
  };
}

function markdown(result: WatchResult, targets: readonly Target[]): string {
  const over = (value: (round: WatchRound) => number) => spreadText(overRounds(result, value));
  const rows = [
    [
      "answer to another caller, p50 ms",
      over((round) => percentile(round.aloneMs, 0.5)),
      over((round) => percentile(round.besideMs, 0.5)),
    ],
    [
      "answer to another caller, p99 ms",
      over((round) => percentile(round.aloneMs, 0.99)),
      over((round) => percentile(round.besideMs, 0.99)),
    ],
    ["first message of a watch, p99 ms", "–", over((round) => percentile(round.firstMs, 0.99))],
    ["messages of a watch in a second, fewest", "–", over((round) => Math.min(...round.messagesPerSecond))],
    ["longest time without a message, p99 ms", "–", over((round) => percentile(round.longestGapsMs, 0.99))],
    ["longest time without a message, maximum ms", "–", over((round) => Math.max(...round.longestGapsMs))],
    [
      "cores that the server keeps busy",
      over((round) => round.coresAlone),
      over((round) => round.coresBeside),
    ],
  ];
  const { load, machine } = result;
  return `# Watch

What ${watchersText(result)} cost the other callers of the one process, and what the watchers get. Median (minimum – maximum) of ${roundsText(result.rounds.length)}. In each, a caller asks \`GetAggregates\` by sensor, one question after the other, for ${figure(result.roundMs / 1000)} s without watchers and then for as long beside them. ${result.devices} devices of the generator send a reading a second meanwhile.

${markdownTable(["", "without watchers", "beside them"], rows)}

${targets.map((target) => `- ${targetText(target)}`).join("\n")}

The watchers are gRPC streams, 100 on a connection, in a process of their own that counts messages and does not decode them. Server, watchers and caller share the machine's cores. Load average of the last minute: ${figure(load.before)} before, ${spreadText(load.during)} during the run; what is above what this bench itself needs is work of others.

${machineText(machine)}. Peak memory of the server: ${figure(result.peakMemoryMib)} MiB.
`;
}
