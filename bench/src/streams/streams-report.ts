import { barChartSvg } from "../report/chart.ts";
import { figure, markdownTable, roundsText, spreadText, type Target, targetText } from "../report/figures.ts";
import { machineText } from "../report/machine.ts";
import type { Report } from "../report/report.ts";
import { type Spread, spreadOf } from "../report/statistics.ts";
import type { StreamsResult, StreamsSample } from "./streams-bench.ts";

const p99MostMs = 150;
const coresMost = 1;
/** Part of the devices' readings that must be acknowledged in a round, or the other figures mean nothing. */
const acknowledgedLeast = 0.98;

/** The targets of the streams bench and their measurements: the median over the rounds. */
export function streamsTargets(result: StreamsResult): Target[] {
  const p99Ms = spread(result, "p99Ms");
  const cores = spread(result, "cores");
  const perSecond = spread(result, "acknowledgedPerSecond");
  const isComplete = perSecond.median >= result.devices * acknowledgedLeast;
  const devices = result.devices.toLocaleString("en-US");
  return [
    {
      text: `${devices} concurrent device streams of a reading a second each: p99 of the acknowledgement at most ${p99MostMs} ms`,
      measured: `${spreadText(p99Ms)} ms at ${spreadText(perSecond)} readings/s`,
      met: isComplete && p99Ms.median <= p99MostMs,
    },
    {
      text: `the same with at most ${coresMost} core of the server`,
      measured: `${spreadText(cores)} cores`,
      met: isComplete && cores.median <= coresMost,
    },
  ];
}

/** The report: a table, the targets, a chart. */
export function streamsReport(result: StreamsResult): Report {
  const targets = streamsTargets(result);
  const times = [
    { label: "p50", spread: spread(result, "p50Ms") },
    { label: "p99", spread: spread(result, "p99Ms") },
  ];
  return {
    name: "streams",
    markdown: markdown(result, targets),
    json: { ...result, targets },
    svg: barChartSvg({
      title: `Time to the acknowledgement of ${result.devices.toLocaleString("en-US")} device streams`,
      subtitle: `median of ${roundsText(result.samples.length)}, line from minimum to maximum; ${result.machine.cpu}, ${result.machine.day}`,
      axis: "ms from when a reading was due (logarithmic)",
      bars: times.map(({ label, spread: ms }) => ({
        label,
        spread: ms,
        text: `${figure(ms.median)} ms`,
        ours: true,
      })),
    }),
    targets,
  };
}

function spread({ samples }: StreamsResult, name: keyof StreamsSample): Spread {
  return spreadOf(samples.map((sample) => sample[name]));
}

function markdown(result: StreamsResult, targets: readonly Target[]): string {
  const { devices, connections, samples, roundMs, load, machine } = result;
  const columns = ["acknowledgedPerSecond", "p50Ms", "p99Ms", "cores", "cpuMicrosPerStream"] as const;
  const head = ["readings/s", "p50 ms", "p99 ms", "cores of the server", "CPU µs a stream"];
  return `# Streams

${devices.toLocaleString("en-US")} devices with a gRPC stream each, over ${connections} connections. A device's stream is open until its reading is due, carries this one reading, and ends; the next one is opened with its acknowledgement. Median (minimum – maximum) of ${roundsText(samples.length)} of ${roundMs / 1000} s.

${markdownTable(head, [columns.map((name) => spreadText(spread(result, name)))])}

${targets.map((target) => `- ${targetText(target)}`).join("\n")}

A reading's time counts from when it was due until the device knows that it is durably stored. The devices are in one process, the server in another; the CPU is user and system time of the server, all threads, with folding. The server stored ${result.storedReadings.toLocaleString("en-US")} readings, exactly those acknowledged. Peak memory of the server: ${figure(result.peakMemoryMib)} MiB. Load average of the last minute: ${figure(load.before)} before, ${spreadText(load.during)} during the run, of which this bench needs about 1.5.

${machineText(machine)}.
`;
}
