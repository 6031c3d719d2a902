import { type BarChart, barChartSvg } from "../report/chart.ts";
import { figure, markdownTable, roundsText, spreadText, type Target, targetText } from "../report/figures.ts";
import { machineText } from "../report/machine.ts";
import type { Report } from "../report/report.ts";
import { type Spread, spreadOf } from "../report/statistics.ts";
import { fastapiVersions } from "./fastapi-environment.ts";
import type { IngestResult } from "./ingest-bench.ts";
import { fleet, ownNames, type PeerName } from "./ingest-peers.ts";

const labels: Readonly<Record<PeerName, string>> = {
  fastapi: "FastAPI + Kafka (mock)",
  "node-http": "bare node:http",
  ours: "Device Mesh ingest",
  "ours-late": "Device Mesh ingest, all late by up to a day",
  "ours-steady": `Device Mesh ingest at ${figure(fleet.steadyReadingsPerSecond)} readings/s`,
};

const does: Readonly<Record<PeerName, string>> = {
  fastapi: "one POST a reading; checked, flattened, delivered to Kafka, then answered",
  "node-http": "one POST a reading; parsed, nothing else",
  ours: `gRPC, ${fleet.readingsPerFrame} readings a frame; checked, committed to disk`,
  "ours-late": `the same, each frame anywhere in a day, not in order; ${figure(fleet.gateways * fleet.lateUnits * fleet.framesPerUnit * fleet.readingsPerFrame)} readings a round`,
  "ours-steady": "the same at a steady rate",
};

/** The target: ours must be cheaper than the peer by this factor. */
const ratioTargets: Readonly<Partial<Record<PeerName, number>>> = { fastapi: 350, "node-http": 25 };
/** A late reading may cost as many times more than one in order. */
const lateTimesMost = 3;
const memoryTargetMib = 256;
/** Part of the steady rate that must be reached, or the memory at this rate is not known. */
const steadyLeast = 0.95;

/** The targets of the ingest bench and their measurements; those of missing peers are left out. */
export function ingestTargets(result: IngestResult): Target[] {
  const compared = ratiosOf(result).filter(({ name }) => ratioTargets[name] !== undefined);
  const ratios = compared.map(({ name, spread }) => ({
    text: `CPU per durable reading at most 1/${ratioTargets[name]} of ${labels[name]}`,
    measured: `1/${spreadText(spread)}`,
    met: spread.median >= (ratioTargets[name] ?? 0),
  }));
  return [...ratios, ...lateTarget(result), ...memoryTarget(result)];
}

function lateTarget(result: IngestResult): Target[] {
  const late = ratiosOf(result).find(({ name }) => name === "ours-late");
  if (!late) return [];
  return [
    {
      text: `a reading that is late by up to a day costs at most ${lateTimesMost} times the CPU of one in order`,
      measured: `${spreadText(late.spread)} times`,
      met: late.spread.median <= lateTimesMost,
    },
  ];
}

function memoryTarget({ peers }: IngestResult): Target[] {
  const steady = peers.find(({ name }) => name === "ours-steady");
  if (!steady) return [];
  const { peakMemoryMib, samples } = steady;
  const perSecond = spreadOf(samples.map(({ readingsPerSecond }) => readingsPerSecond)).median;
  return [
    {
      text: `at most ${memoryTargetMib} MiB resident at ${figure(fleet.steadyReadingsPerSecond)} readings/s`,
      measured: `${figure(peakMemoryMib)} MiB at the peak, at ${figure(perSecond)} readings/s`,
      met: peakMemoryMib <= memoryTargetMib && perSecond >= fleet.steadyReadingsPerSecond * steadyLeast,
    },
  ];
}

/** The report: a table, the targets, a chart. */
export function ingestReport(result: IngestResult): Report {
  return {
    name: "ingest",
    markdown: markdown(result),
    json: { ...result, ratios: ratiosOf(result), targets: ingestTargets(result) },
    svg: barChartSvg(chart(result)),
    targets: ingestTargets(result),
  };
}

/** The compared figure of a sample: until the reading was durably stored, or until it was folded too. */
type Cost = "cpuMicrosPerReading" | "foldedCpuMicrosPerReading";

/** The CPU time of each peer for a reading relative to ours, round by round. */
function ratiosOf(
  result: IngestResult,
  cost: Cost = "cpuMicrosPerReading",
): { name: PeerName; spread: Spread }[] {
  const ours = peerOf(result, "ours").samples;
  return result.peers
    .filter(({ name }) => name !== "ours")
    .map(({ name, samples }) => ({
      name,
      spread: spreadOf(samples.map((sample, round) => sample[cost] / ours[round]![cost])),
    }));
}

function peerOf(result: IngestResult, name: PeerName): IngestResult["peers"][number] {
  const peer = result.peers.find((one) => one.name === name);
  if (!peer) throw new RangeError(`no peer ${name} in the result`);
  return peer;
}

function markdown(result: IngestResult): string {
  const rounds = peerOf(result, "ours").samples.length;
  const timesOurs = (name: PeerName, cost: Cost): string => {
    const ratio = ratiosOf(result, cost).find((one) => one.name === name);
    return ratio ? spreadText(ratio.spread) : "1";
  };
  const rows = result.peers.map(({ name, samples, peakMemoryMib }) => [
    `${labels[name]}: ${does[name]}`,
    spreadText(spreadOf(samples.map((sample) => sample.cpuMicrosPerReading))),
    timesOurs(name, "cpuMicrosPerReading"),
    spreadText(spreadOf(samples.map((sample) => sample.foldedCpuMicrosPerReading))),
    timesOurs(name, "foldedCpuMicrosPerReading"),
    spreadText(spreadOf(samples.map((sample) => sample.readingsPerSecond))),
    spreadOf(samples.map((sample) => sample.cores)).median.toFixed(2),
    figure(peakMemoryMib),
  ]);
  const versions = Object.entries({ ...fastapiVersions(), ...result.stored.versions });
  return `# Ingest

What a reading costs the server that takes it. Median (minimum – maximum) of ${roundsText(rounds)}; in each, every peer in turn was loaded for ${result.roundMs / 1000} s by another process. Ratios are taken round by round.

${markdownTable(
  [
    "Server",
    "CPU µs a reading, durable",
    "times ours",
    "and folded",
    "times ours",
    "readings/s",
    "cores busy",
    "peak MiB",
  ],
  rows,
)}

${ingestTargets(result)
  .map((target) => `- ${targetText(target)}`)
  .join("\n")}

Readings: ${fleet.devices} devices of four types in turn, each a second further with every reading; values wander in small steps and have one decimal (pressure: two). In order, ours stored ${result.stored.storedReadings.toLocaleString("en-US")} of them, exactly those acknowledged, in ${figure(result.stored.diskBytes / result.stored.storedReadings)} bytes each.

CPU is user and system time of the server process, all threads, from /proc. Durable: while the load ran, until the last reading was acknowledged; the targets are about this. Folded: of ours, with all maintenance until the readings were in 10-second windows; the peers have no such work, so theirs stays the same. Connections: FastAPI ${fleet.fastapiConnections}, node:http ${fleet.nodeHttpConnections} (one request in flight each), ours ${fleet.gateways} (commit units of ${fleet.framesPerUnit} frames).

${machineText(result.machine)}. ${versions.map(([name, version]) => `${name} ${version}`).join(", ")}.
`;
}

function chart(result: IngestResult): BarChart {
  return {
    title: "CPU that one reading costs the server",
    subtitle: `median of ${roundsText(peerOf(result, "ours").samples.length)}, line from minimum to maximum; ${result.machine.cpu}, ${result.machine.day}`,
    axis: "µs of CPU a reading (logarithmic)",
    bars: [...result.peers.map(durableBar), foldedBar()],
  };

  function foldedBar(): BarChart["bars"][number] {
    const samples = peerOf(result, "ours").samples;
    const spread = spreadOf(samples.map((sample) => sample.foldedCpuMicrosPerReading));
    return { label: `${labels.ours}, folded`, spread, text: `${figure(spread.median)} µs`, ours: true };
  }

  function durableBar({ name, samples }: IngestResult["peers"][number]): BarChart["bars"][number] {
    const spread = spreadOf(samples.map((sample) => sample.cpuMicrosPerReading));
    const ratio = ratiosOf(result).find((one) => one.name === name)?.spread.median;
    const times = ratio === undefined ? "" : `, ${figure(ratio)} times ours`;
    return {
      label: labels[name],
      spread,
      text: `${figure(spread.median)} µs${times}`,
      ours: ownNames.includes(name),
    };
  }
}
