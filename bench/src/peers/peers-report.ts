import { barChartSvg } from "../report/chart.ts";
import { figure, markdownTable, type Target, targetText } from "../report/figures.ts";
import { machineText } from "../report/machine.ts";
import type { Report } from "../report/report.ts";
import type { PeerResult, PeersResult } from "./peers-bench.ts";
import { disorder } from "./readings.ts";

const ours = "Device Mesh";

/** The report: a table of all systems, what each was set to, what is missing, a chart of the cost of a reading. */
export function peersReport(result: PeersResult): Report {
  const targets = peersTargets(result);
  return {
    name: "peers",
    markdown: markdown(result, targets),
    json: { kind: "peers", ...result, targets },
    svg: barChartSvg({
      title: "CPU time to store a reading and have it ready for answers",
      subtitle: `${result.sent.toLocaleString("en-US")} readings sent, late, early, twice and shuffled; ${result.machine.cpu}, ${result.machine.day}`,
      axis: "µs of all processes a distinct reading (logarithmic)",
      bars: result.peers.map(({ name, cpuMicrosPerReading: micros, exact, asked }) => ({
        label: name,
        spread: { median: micros, minimum: micros, maximum: micros },
        text: `${figure(micros)} µs, ${exact} of ${asked} exact`,
        ours: name === ours,
      })),
    }),
    targets,
  };
}

/** Exactness is the only promise of this bench; costs are reported as they are. */
export function peersTargets({ peers }: PeersResult): Target[] {
  const mesh = peers.find(({ name }) => name === ours);
  if (!mesh) return [];
  return [
    {
      text: "every answer of Device Mesh is exact",
      measured: `${mesh.exact} of ${mesh.asked}`,
      met: mesh.exact === mesh.asked,
    },
  ];
}

function row(peer: PeerResult): string[] {
  return [
    peer.name,
    figure(peer.cpuMicrosPerReading),
    peer.durable ? "yes" : "no",
    figure(peer.bytesPerReading),
    figure(peer.memoryMib),
    `${figure(peer.oneSeriesMs.p50)} / ${figure(peer.oneSeriesMs.p99)}`,
    `${figure(peer.allSeriesMs.p50)} / ${figure(peer.allSeriesMs.p99)}`,
    `${peer.exact} of ${peer.asked}`,
  ];
}

function markdown(result: PeersResult, targets: readonly Target[]): string {
  const { peers, missing, original } = result;
  const rows = peers.map(row);
  if (original)
    rows.push([
      "the original design",
      figure(original.ingestMicrosPerReading + original.jobMicrosPerReading),
      "no",
      "–",
      "–",
      "–",
      "–",
      `${original.exact} of ${original.asked}`,
    ]);
  const head = [
    "System",
    "CPU µs a reading",
    "acknowledged means on disk",
    "bytes a reading",
    "largest MiB (shared pages once)",
    "one series, p50 / p99 ms",
    "all series, p50 / p99 ms",
    "exact answers",
  ];
  return `# Peers

The same readings and the same questions for each system, one after the other, in one run: ${result.distinct.toLocaleString("en-US")} distinct readings of 400 devices, ${result.sent.toLocaleString("en-US")} sent. Of them ${percent(disorder.lateShare)} are late by up to an hour, ${percent(disorder.earlyShare)} early by up to a minute, ${percent(disorder.duplicateShare)} come twice, the others are shuffled within ${disorder.shuffleMs / 1000} s. A device sends a reading a second, with a jitter of up to ${disorder.jitterMs} ms.

${markdownTable(head, rows)}

${targets.map((target) => `- ${targetText(target)}`).join("\n")}

CPU is user and system time of all processes of a system, from the first request until it is at rest again, over the distinct readings. A question asks for count, average, minimum and maximum of a timeframe of a second up to everything, with bounds on any millisecond: of one series, or of all series of a sensor. An answer is exact if count, minimum and maximum equal brute force over the distinct readings and the average differs by at most 10⁻⁹ of itself. Every system received four requests at once while it was loaded, and one question at a time, after as many other questions that do not count.

Not measured here, because the others have no counterpart: conflicts (two values for one instant: Device Mesh keeps the first and counts them), the statement of what an answer covers, and identity checks.

${peers.map(({ version, settings, firstWrong }) => `- **${version}**: ${settings}.${firstWrong === undefined ? "" : ` First answer that is not exact: \`${firstWrong}\`.`}`).join("\n")}
${original ? `- **The original design**: windows of ten seconds by the device's clock with a watermark of one minute in a PySpark job, on a real Spark; the average of a timeframe is the average of its windows' averages, and a window belongs to the timeframe in which it begins. With bounds on borders of windows, ${original.exactOnBorders} of ${original.asked} answers are exact. Its windows counted ${original.counted.toLocaleString("en-US")} of ${result.sent.toLocaleString("en-US")} readings sent.${original.firstWrong === undefined ? "" : ` First answer that is not exact: \`${original.firstWrong}\`.`} CPU: ${figure(original.ingestMicrosPerReading)} µs of FastAPI until a mock broker in the same process acknowledged the reading, ${figure(original.jobMicrosPerReading)} µs of Spark for its windows; the broker on a disk and the database are not in it, nor are bytes and latency measured: its database is MongoDB, which is not on this machine.\n` : ""}${missing.map(({ name, text }) => `- **${name}** was not measured; missing: ${text}.\n`).join("")}
${machineText(result.machine)}.
`;
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}
