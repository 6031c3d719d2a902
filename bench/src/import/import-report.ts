import { barChartSvg } from "../report/chart.ts";
import { figure, markdownTable, roundsText, spreadText, type Target, targetText } from "../report/figures.ts";
import { machineText } from "../report/machine.ts";
import type { Report } from "../report/report.ts";
import { type Spread, spreadOf } from "../report/statistics.ts";
import { type ImportResult, type ImportRun, type ImportShape, importShapes } from "./import-bench.ts";

type Figures = { readonly shape: ImportShape; readonly rows: number; readonly runs: readonly ImportRun[] };

const shapeTexts = {
  flat: "a column of values, times with zone",
  wide: "two columns of values, local times, °F",
} as const;

/** The targets and their measurements. */
export function importTargets(result: ImportResult): Target[] {
  return importShapes.flatMap((shape) => {
    const [small, large] = figuresOf(result).filter((figures) => figures.shape === shape);
    const rate = rowsPerCpuSecond(large!);
    const growth =
      spreadOf(large!.runs.map(({ peakMib }) => peakMib)).median -
      spreadOf(small!.runs.map(({ peakMib }) => peakMib)).median;
    return [
      {
        text: `${shapeTexts[shape]}: at least 100,000 rows a second of one core`,
        measured: figure(rate.median),
        met: rate.median >= 100_000,
      },
      {
        text: `${shapeTexts[shape]}: ten times the rows take at most 250 MiB more, the table of identities included`,
        measured: `${figure(growth)} MiB`,
        met: growth <= 250,
      },
    ];
  });
}

/** The report: a table, the targets, a chart. */
export function importReport(result: ImportResult): Report {
  const targets = importTargets(result);
  const all = figuresOf(result);
  const rows = all.map((figures) => [
    shapeTexts[figures.shape],
    figures.rows.toLocaleString("en-US"),
    spreadText(rowsPerCpuSecond(figures)),
    spreadText(spreadOf(figures.runs.map((run) => run.rows / (run.wallMs / 1000)))),
    spreadText(spreadOf(figures.runs.map(({ peakMib }) => peakMib))),
  ]);
  return {
    name: "import",
    markdown: `# Import

\`npm run import\` of CSV files into ingest over a new embedded store, in processes of their own on one machine. The memory holds what is needed to recognise readings that come again: 16 bytes of each of the first four million.

${markdownTable(["File", "Rows", "Rows a second of CPU", "Rows a second", "Peak memory, MiB"], rows)}

${targets.map((target) => `- ${targetText(target)}`).join("\n")}

${machineText(result.machine)}.
`,
    json: { ...result, targets },
    svg: barChartSvg({
      title: "Loading a CSV file",
      subtitle: `median of ${roundsText(all[0]!.runs.length)}, line from minimum to maximum; ${result.machine.cpu}, ${result.machine.day}`,
      axis: "rows a second of one core (logarithmic)",
      bars: all.map((figures) => {
        const spread = rowsPerCpuSecond(figures);
        return {
          label: `${figures.shape}, ${figures.rows.toLocaleString("en-US")} rows`,
          spread,
          text: figure(spread.median),
          ours: true,
        };
      }),
    }),
    targets,
  };
}

function rowsPerCpuSecond({ runs }: Figures): Spread {
  return spreadOf(runs.map(({ rows, cpuMs }) => rows / (cpuMs / 1000)));
}

function figuresOf({ runs }: ImportResult): Figures[] {
  const byFile = Map.groupBy(runs, ({ shape, rows }) => `${shape} ${rows}`);
  return [...byFile.values()].map((of) => ({ shape: of[0]!.shape, rows: of[0]!.rows, runs: of }));
}
