import { barChartSvg } from "../report/chart.ts";
import { figure, markdownTable, roundsText, spreadText, type Target, targetText } from "../report/figures.ts";
import { machineText } from "../report/machine.ts";
import type { Report } from "../report/report.ts";
import { spreadOf } from "../report/statistics.ts";
import type { PageResult } from "./page-bench.ts";

const scriptMaxBytes = 180_000;
const firstChartMaxMs = 1000;
const coresMax = 0.3;
const taskMaxMs = 50;
/** Memory is flat if its last third of samples is at most so much above its first. */
const growthMax = 0.1;

/** The targets of the page bench, with what was measured. */
export function pageTargets(result: PageResult): Target[] {
  const { devices, views, scriptBytes, firstChartMs, memoryMs } = result;
  const cores = Math.max(...views.map(({ browserCores }) => browserCores));
  const tasks = views.flatMap(({ longTasksMs }) => longTasksMs);
  const growth = growthOf(result.heapBytes);
  return [
    {
      text: `the first view loads at most ${scriptMaxBytes / 1000} KB of JavaScript (gzip)`,
      measured: `${figure(scriptBytes / 1000)} KB`,
      met: scriptBytes <= scriptMaxBytes,
    },
    {
      text: `the first chart is there within ${firstChartMaxMs} ms of opening the page`,
      measured: `${spreadText(spreadOf(firstChartMs))} ms`,
      met: spreadOf(firstChartMs).median <= firstChartMaxMs,
    },
    {
      text: `the browser keeps at most ${coresMax} cores busy with ${devices} live series at 1 Hz`,
      measured: `${figure(cores)} cores in the busiest view`,
      met: cores <= coresMax,
    },
    {
      text: `no task of the page is longer than ${taskMaxMs} ms`,
      measured: tasks.length === 0 ? "none" : `${tasks.length}, the longest ${figure(Math.max(...tasks))} ms`,
      met: tasks.length === 0,
    },
    {
      text: `memory of the page grows by at most ${growthMax * 100} % in ${figure(memoryMs / 60_000)} minutes`,
      measured: `${figure(growth * 100)} %`,
      met: growth <= growthMax,
    },
  ];
}

/**
 * How much the median of the last third of samples is above that of the first, as a share. A single sample may hold an
 * answer that is just being read.
 */
export function growthOf(samples: readonly number[]): number {
  const count = Math.max(Math.floor(samples.length / 3), 1);
  return spreadOf(samples.slice(-count)).median / spreadOf(samples.slice(0, count)).median - 1;
}

/** The report: a table, the targets, a chart. */
export function pageReport(result: PageResult): Report {
  const targets = pageTargets(result);
  return {
    name: "page",
    markdown: markdown(result, targets),
    json: { ...result, targets },
    svg: barChartSvg({
      title: `CPU of the browser with ${result.devices} live series`,
      subtitle: `${result.viewMs / 1000} s a view; ${result.browser}; ${result.machine.cpu}, ${result.machine.day}`,
      axis: "cores kept busy (logarithmic)",
      bars: result.views.map(({ view, browserCores }) => ({
        label: view,
        spread: spreadOf([browserCores]),
        text: `${figure(browserCores)} cores`,
        ours: true,
      })),
    }),
    targets,
  };
}

function markdown(result: PageResult, targets: readonly Target[]): string {
  const { views, heapBytes, load, machine } = result;
  const rows = views.map(({ view, browserCores, pageCores, longTasksMs }) => [
    view,
    figure(browserCores),
    figure(pageCores),
    String(longTasksMs.length),
    longTasksMs.length === 0 ? "–" : figure(Math.max(...longTasksMs)),
  ]);
  const mib = (bytes: number | undefined) => figure((bytes ?? 0) / 2 ** 20);
  return `# Page

What the dashboard of the one process uses in ${result.browser} while ${result.devices} devices send a reading a second. Each view is observed for ${figure(result.viewMs / 1000)} s.

${markdownTable(["view", "cores, whole browser", "cores, main thread of the page", "tasks over 50 ms", "longest, ms"], rows)}

${targets.map((target) => `- ${targetText(target)}`).join("\n")}

First chart: median (minimum – maximum) of ${roundsText(result.firstChartMs.length)}, on a process that has answered before; until then the main thread of the page used ${spreadText(spreadOf(result.firstChartCpuMs))} ms of CPU. Memory that the page keeps in the view Live: ${mib(heapBytes[0])} MiB at first, ${mib(heapBytes.at(-1))} MiB after ${figure(result.memoryMs / 60_000)} minutes. The browser has no GPU and draws in software. CPU is CPU time; first chart and tasks are wall time, which other work on the machine makes longer. Load average of the last minute: ${figure(load.before)} before, ${spreadText(load.during)} during the run.

${machineText(machine)}.
`;
}
