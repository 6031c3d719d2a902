import { type BarChart, barChartSvg } from "../report/chart.ts";
import { figure, markdownTable, spreadText, type Target, targetText } from "../report/figures.ts";
import { machineText } from "../report/machine.ts";
import type { Report } from "../report/report.ts";
import { type Spread, spreadOf } from "../report/statistics.ts";
import { type LivePart, lagTrend } from "./live-part.ts";
import type { BatchSum } from "./observed-batches.ts";
import type { WindowsResult } from "./windows-bench.ts";

const warmRowsTarget = 80_000;
const firstBatchTargetSeconds = 20;
/** A lag that does not grow varies by as much: a batch may end just before or just after a figure is taken. */
const lagGrowthMax = 1.5;

/** Rows a second of batches: all rows by all their time. */
export function rowsPerSecond({ rows, batchMs }: BatchSum): number {
  return (rows / batchMs) * 1000;
}

/** The targets, with what was measured. */
export function windowsTargets(result: WindowsResult): Target[] {
  const warm = rowsPerSecond(result.warm);
  const { middle, last } = lagTrend(result.live.lag);
  return [
    {
      text: `the warm job folds a backlog at ${figure(warmRowsTarget)} rows/s or more`,
      measured: `${figure(warm)} rows/s`,
      met: warm >= warmRowsTarget,
    },
    {
      text: `the first batch after a cold start is done within ${firstBatchTargetSeconds} s`,
      measured: `${figure(result.firstBatchSeconds)} s`,
      met: result.firstBatchSeconds <= firstBatchTargetSeconds,
    },
    {
      text: `its lag does not grow at ${figure(result.liveReadingsPerSecond)} readings/s`,
      measured: `${figure(middle)} records in the middle third, ${figure(last)} in the last`,
      met: last <= middle * lagGrowthMax,
    },
  ];
}

/** The report: tables, the targets, a chart. */
export function windowsReport(result: WindowsResult): Report {
  const targets = windowsTargets(result);
  return {
    name: "windows",
    markdown: markdown(result, targets),
    json: { ...result, targets },
    svg: barChartSvg(chart(result)),
    targets,
  };
}

function backlogRow(what: string, sum: BatchSum): string[] {
  return [
    what,
    figure(sum.rows),
    String(sum.batches),
    figure(rowsPerSecond(sum)),
    figure(sum.rows / (sum.sparkCpuMs / 1000)),
  ];
}

function liveRow(what: string, { batches, sparkCpuMs, seconds, lag }: LivePart): string[] {
  const secondsOf = ({ median, minimum, maximum }: Spread): string =>
    spreadText({ median: median / 1000, minimum: minimum / 1000, maximum: maximum / 1000 });
  return [
    what,
    String(batches.length),
    figure(spreadOf(batches.map(({ rows }) => rows)).median),
    secondsOf(spreadOf(batches.map(({ batchMs }) => batchMs))),
    (sparkCpuMs / 1000 / seconds).toFixed(2),
    figure(spreadOf(lag).median),
  ];
}

function markdown(result: WindowsResult, targets: readonly Target[]): string {
  const { readings, partitions, machine, load, liveReadingsPerSecond } = result;
  return `# Windows

The window job on Spark, behind one Kafka broker, without sinks and database; broker, Spark, ingest and the load share the machine. The partials count exactly the ${readings.toLocaleString("en-US")} acknowledged readings.

## A backlog

${markdownTable(
  ["Batches", "rows", "batches", "rows/s", "rows per second of Spark's CPU"],
  [backlogRow("cold, from the start of the job", result.cold), backlogRow("warm, after that", result.warm)],
)}

## Live

${markdownTable(
  ["Load", "batches", "rows a batch, median", "s a batch", "cores busy in Spark", "records unread, median"],
  [
    liveRow("ticks alone", result.rest),
    liveRow(`${liveReadingsPerSecond.toLocaleString("en-US")} readings/s`, result.live),
  ],
)}

${targets.map((target) => `- ${targetText(target)}`).join("\n")}

Seconds a batch: median (minimum – maximum). ${partitions} partitions, windows and segments of 10 s.

${machineText(machine)}. Load average of the machine: ${figure(load.before)} before, ${spreadText(load.during)} while it ran.
`;
}

function chart(result: WindowsResult): BarChart {
  const bar = (label: string, sum: BatchSum): BarChart["bars"][number] => {
    const value = rowsPerSecond(sum);
    const spread = { median: value, minimum: value, maximum: value };
    return { label, spread, text: `${figure(value)} rows/s`, ours: true };
  };
  return {
    title: "Rows a second that the window job folds",
    subtitle: `all rows of the batches by all their time; ${result.machine.cpu}, ${result.machine.day}`,
    axis: "rows a second (logarithmic)",
    bars: [bar("cold", result.cold), bar("warm", result.warm)],
  };
}
