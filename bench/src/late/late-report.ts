import { barChartSvg } from "../report/chart.ts";
import { figure, markdownTable } from "../report/figures.ts";
import { machineText } from "../report/machine.ts";
import type { Report } from "../report/report.ts";
import { percentilesOf, spreadOf } from "../report/statistics.ts";
import type { Burst } from "./burst.ts";
import type { LateResult } from "./late-bench.ts";

/** The report: a table and a chart; there is no target. */
export function lateReport(result: LateResult): Report {
  const { bursts, machine, load } = result;
  const database = result.database === "mongod" ? "MongoDB" : "the stand-in for MongoDB";
  const rows: [string, (burst: Burst) => string][] = [
    ["readings", ({ readings }) => figure(readings)],
    ["partials of the finest level, for each reading", (burst) => figure(partialsPerReading(burst))],
    ["bytes of a reading's document", ({ readingBytes }) => figure(readingBytes)],
    ["bytes of its partials, for each reading", (burst) => figure(partialBytesPerReading(burst))],
    [
      "readings stored by their sink, documents/s",
      (burst) => figure(burst.readings / burst.readingsSinkSeconds),
    ],
    [
      "partials stored by their sink, documents/s",
      (burst) => figure(burst.partials / burst.partialsSinkSeconds),
    ],
    [
      "from the last acknowledgement until the frontier has passed, s",
      (burst) => figure(burst.coveredSeconds),
    ],
    [
      "answers over any part after that, all devices, p50 / p99, ms",
      ({ answersMs }) => {
        const { p50, p99 } = percentilesOf(answersMs);
        return `${figure(p50)} / ${figure(p99)}`;
      },
    ],
  ];
  return {
    name: "late",
    markdown: `# Late readings

A burst of readings of 1,000 devices through the whole mesh, which is idle otherwise. In order: each device sends a reading a second, as after a time offline. Anywhere in a day: each reading is of another 10-second window than the ones before it, which is the worst case. Answers count exactly the acknowledged readings.

${markdownTable(
  ["What", ...bursts.map(nameOf)],
  rows.map(([what, text]) => [what, ...bursts.map(text)]),
)}

The partials of the finest level are read until the next one, of 10 minutes, is folded. The database is ${database}, on the same machine; sizes are without indexes and before its compression.

${machineText(machine)}. Load average of the machine: ${figure(load.before)} before, ${figure(load.during.median)} while it ran.
`,
    json: { ...result, targets: [] },
    svg: barChartSvg({
      title: "From the last acknowledgement until the frontier has passed a burst",
      subtitle: `${figure(bursts[0]?.readings ?? 0)} readings at once; ${machine.cpu}, ${machine.day}`,
      axis: "seconds (logarithmic)",
      bars: bursts.map((burst) => ({
        label: nameOf(burst),
        spread: spreadOf([burst.coveredSeconds]),
        text: `${figure(burst.coveredSeconds)} s, ${figure(partialsPerReading(burst))} partials a reading`,
        ours: true,
      })),
    }),
    targets: [],
  };
}

function nameOf({ isLate }: Burst): string {
  return isLate ? "anywhere in a day" : "in order";
}

/** Returns the number of partials for each reading. */
export function partialsPerReading({ partials, readings }: Burst): number {
  return partials / readings;
}

function partialBytesPerReading(burst: Burst): number {
  return partialsPerReading(burst) * burst.partialBytes;
}
