import { barChartSvg } from "../report/chart.ts";
import { figure, markdownTable, type Target, targetText } from "../report/figures.ts";
import { machineText } from "../report/machine.ts";
import type { Report } from "../report/report.ts";
import { percentile, spreadOf } from "../report/statistics.ts";
import type { SeriesFigures, SeriesResult } from "./series-bench.ts";

/** The targets for a million series and their measurements. */
export function seriesTargets({ small, large }: SeriesResult): Target[] {
  const bySensorMs = percentile(large.bySensorMs, 0.5);
  const pageMs = percentile(large.pageMs, 0.5);
  const ratio = percentile(large.appendMs, 0.99) / percentile(small.appendMs, 0.99);
  return [
    {
      text: "aggregates by sensor over all time in less than 1.5 s",
      measured: `${figure(bySensorMs)} ms`,
      met: bySensorMs < 1500,
    },
    { text: "a page of series in less than 50 ms", measured: `${figure(pageMs)} ms`, met: pageMs < 50 },
    {
      text: "p99 of an append at most twice that with 1,000 series",
      measured: `${figure(ratio)} times`,
      met: ratio <= 2,
    },
    {
      text: "the event loop is never blocked longer than 50 ms",
      measured: `${figure(large.blockedMs)} ms`,
      met: large.blockedMs <= 50,
    },
    { text: "less than 1 GiB of memory", measured: `${figure(large.rssMib)} MiB`, met: large.rssMib < 1024 },
  ];
}

/** The report: a table, the targets, a chart. */
export function seriesReport(result: SeriesResult): Report {
  const targets = seriesTargets(result);
  const { small, large } = result;
  const rows = [small, large].map((figures) => [
    figures.series.toLocaleString("en-US"),
    figure(figures.fillMs / 1000),
    ...(["bySensorMs", "pageMs", "appendMs"] as const).map((name) => middleAndTail(figures, name)),
    figure(figures.blockedMs),
    figure(figures.rssMib),
  ]);
  return {
    name: "series",
    markdown: `# Series

A store of many series beside a small one. Store, queries and appends share one process and its event loop; while aggregates by sensor and pages of series are asked for, one reading after the other is appended. Times: median, p99.

${markdownTable(["Series", "Stored and folded, s", "By sensor over all time, ms", "Page of 100 series, ms", "Append, ms", "Loop blocked, ms", "Memory, MiB"], rows)}

${targets.map((target) => `- ${targetText(target)}`).join("\n")}

${machineText(result.machine)}.
`,
    json: { ...result, targets },
    svg: barChartSvg({
      title: `${large.series.toLocaleString("en-US")} series in one process`,
      subtitle: `median, line from minimum to maximum; ${result.machine.cpu}, ${result.machine.day}`,
      axis: "ms (logarithmic)",
      bars: [
        { label: "aggregates by sensor", spread: spreadOf(large.bySensorMs) },
        { label: "page of series", spread: spreadOf(large.pageMs) },
        { label: "append of a reading", spread: spreadOf(large.appendMs) },
      ].map((bar) => ({ ...bar, text: `${figure(bar.spread.median)} ms`, ours: true })),
    }),
    targets,
  };
}

function middleAndTail(figures: SeriesFigures, name: "bySensorMs" | "pageMs" | "appendMs"): string {
  return `${figure(percentile(figures[name], 0.5))}, ${figure(percentile(figures[name], 0.99))}`;
}
