import { barChartSvg } from "../report/chart.ts";
import { figure, markdownTable, roundsText, spreadText, type Target, targetText } from "../report/figures.ts";
import { machineText } from "../report/machine.ts";
import type { Report } from "../report/report.ts";
import { type Spread, spreadOf } from "../report/statistics.ts";
import { type ExportResult, type ExportRun, exportedFormats } from "./export-bench.ts";

/** The target: a million readings as CSV within 3 s. */
export function exportTargets(result: ExportResult): Target[] {
  const { median } = spreadIn(result, "csv", ({ wallMs }) => (wallMs * 1_000_000) / result.readings);
  return [
    {
      text: "a million readings as CSV within 3 s",
      measured: `${figure(median / 1000)} s`,
      met: median <= 3000,
    },
  ];
}

/** The report: a table, the target, a chart. */
export function exportReport(result: ExportResult): Report {
  const targets = exportTargets(result);
  const rounds = result.runs.length / exportedFormats.length;
  const rows = exportedFormats.map((format) => [
    format,
    spreadText(spreadIn(result, format, ({ wallMs }) => wallMs / 1000)),
    spreadText(spreadIn(result, format, ({ cpuMs }) => cpuMs / 1000)),
    spreadText(spreadIn(result, format, ({ bytes }) => bytes / 1024 ** 2)),
  ]);
  return {
    name: "export",
    markdown: `# Export

\`GET /v1/readings\` of all ${result.readings.toLocaleString("en-US")} readings of a store over HTTP, to a client that discards them; each must state that number of rows. The server, which has the store in its process, needed at most ${figure(result.peakMib)} MiB.

${markdownTable(["Format", "Seconds", "Seconds of the server's CPU", "MiB"], rows)}

${targets.map((target) => `- ${targetText(target)}`).join("\n")}

${machineText(result.machine)}.
`,
    json: { ...result, targets },
    svg: barChartSvg({
      title: `${result.readings.toLocaleString("en-US")} readings as a file`,
      subtitle: `median of ${roundsText(rounds)}, line from minimum to maximum; ${result.machine.cpu}, ${result.machine.day}`,
      axis: "seconds (logarithmic)",
      bars: exportedFormats.map((format) => {
        const spread = spreadIn(result, format, ({ wallMs }) => wallMs / 1000);
        return { label: format, spread, text: `${figure(spread.median)} s`, ours: true };
      }),
    }),
    targets,
  };
}

function spreadIn({ runs }: ExportResult, format: string, of: (run: ExportRun) => number): Spread {
  return spreadOf(runs.filter((run) => run.format === format).map(of));
}
