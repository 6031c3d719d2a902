import { barChartSvg } from "../report/chart.ts";
import { figure, markdownTable, type Target, targetText } from "../report/figures.ts";
import { machineText } from "../report/machine.ts";
import type { Report } from "../report/report.ts";
import { percentile, spreadOf } from "../report/statistics.ts";
import type { TailResult } from "./tail-bench.ts";

/** Longest answer in ms, 99 of 100. */
const p99MaxMs = 2000;

/** The target: answers over the tail of a stopped frontier stay usable. */
export function tailTargets({ latenciesMs }: TailResult): Target[] {
  const p99 = percentile(latenciesMs, 0.99);
  return [
    {
      text: "p99 of answers over the readings since the frontier stopped at most 2 s",
      measured: `${figure(p99 / 1000)} s`,
      met: p99 <= p99MaxMs,
    },
  ];
}

/** The report: a table, the target, a chart. */
export function tailReport(result: TailResult): Report {
  const { startingMs, latenciesMs, devices, tailSeconds, readings, load } = result;
  const targets = tailTargets(result);
  const seconds = (ms: number): string => `${figure(ms / 1000)} s`;
  const started = startingMs.reduce((sum, ms) => sum + ms, 0);
  const rows = [
    ["the first answer after the start of query, over all of them", seconds(startingMs[0] as number)],
    ["from the start of query until an answer over all of them takes less than a second", seconds(started)],
    [
      `answers over any part of them after that, p50 / p99 of ${latenciesMs.length}`,
      `${seconds(percentile(latenciesMs, 0.5))} / ${seconds(percentile(latenciesMs, 0.99))}`,
    ],
  ];
  const database = result.database === "mongod" ? "MongoDB" : "the stand-in for MongoDB";
  return {
    name: "tail",
    markdown: `# Tail

Answers while the frontier does not move: ${devices.toLocaleString("en-US")} devices have sent a reading a second since it stopped, and the aggregator has folded none of them. Query starts ${figure(tailSeconds / 60)} minutes after that, and readings keep arriving; at the end there are ${readings.toLocaleString("en-US")}. One query at a time, over all devices; each answer counts exactly the readings of its timeframe.

${markdownTable(["What", "time"], rows)}

${targets.map((target) => `- ${targetText(target)}`).join("\n")}

The database is ${database}, on the same machine. Peak memory of query: ${figure(result.peakMemoryMib)} MiB. Load average of the last minute: ${figure(load.before)} before, ${figure(load.during.median)} during the run.

${machineText(result.machine)}.
`,
    json: { ...result, targets },
    svg: barChartSvg({
      title: `Answers over ${readings.toLocaleString("en-US")} readings since the frontier stopped`,
      subtitle: `median, line from minimum to maximum; ${result.machine.cpu}, ${result.machine.day}`,
      axis: "seconds (logarithmic)",
      bars: [
        {
          label: "after the start of query",
          spread: spreadOf([started / 1000]),
          text: seconds(started),
          ours: true,
        },
        {
          label: "any part of the tail",
          spread: spreadOf(latenciesMs.map((ms) => ms / 1000)),
          text: seconds(percentile(latenciesMs, 0.5)),
          ours: true,
        },
      ],
    }),
    targets,
  };
}
