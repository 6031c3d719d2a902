import { fleet } from "../ingest/ingest-peers.ts";
import { type BarChart, barChartSvg } from "../report/chart.ts";
import { figure, markdownTable, roundsText, spreadText, type Target, targetText } from "../report/figures.ts";
import { machineText } from "../report/machine.ts";
import type { Report } from "../report/report.ts";
import { percentile, percentilesOf, type Spread, spreadOf } from "../report/statistics.ts";
import { type KafkaPeerName, type KafkaResult, latencyReadingsPerSecond } from "./kafka-bench.ts";

const labels: Readonly<Record<KafkaPeerName, string>> = {
  fastapi: "FastAPI + confluent-kafka",
  kafkajs: "ingest over the producer of kafkajs",
  ours: "Device Mesh ingest",
};

/** So many times cheaper than the peer must ours be. */
const ratioTargets: Readonly<Partial<Record<KafkaPeerName, number>>> = { fastapi: 250, kafkajs: 12 };
const readingsPerSecondTarget = 500_000;
const latencyTargetMs = 25;

/** The targets, with what was measured; those of missing peers are left out. */
export function kafkaTargets(result: KafkaResult): Target[] {
  const perSecond = spreadOf(samplesOf(result, "ours").map((sample) => sample.readingsPerSecond));
  const { oursMs, plainMs } = result.latency;
  const p99 = percentile(oursMs, 0.99);
  return [
    ...ratiosOf(result).map(({ name, spread }) => ({
      text: `CPU of ingest for a reading in Kafka at most 1/${ratioTargets[name]} of ${labels[name]}`,
      measured: `1/${spreadText(spread)}`,
      met: spread.median >= (ratioTargets[name] ?? 0),
    })),
    {
      text: `at least ${readingsPerSecondTarget.toLocaleString("en-US")} readings/s acknowledged by one broker`,
      measured: spreadText(perSecond),
      met: perSecond.median >= readingsPerSecondTarget,
    },
    {
      text: `a unit is acknowledged within ${latencyTargetMs} ms (p99) at ${latencyReadingsPerSecond.toLocaleString("en-US")} readings/s`,
      measured: `${latencyText(oursMs)}; a plain producer at that rate, without ingest: ${latencyText(plainMs)}`,
      met: p99 <= latencyTargetMs,
    },
  ];
}

/** The report: a table, the targets, a chart. */
export function kafkaReport(result: KafkaResult): Report {
  const targets = kafkaTargets(result);
  const { latency, ...rest } = result;
  const summary = (timesMs: readonly number[]) => ({
    ...percentilesOf(timesMs),
    units: timesMs.length,
  });
  return {
    name: "kafka",
    markdown: markdown(result),
    json: {
      ...rest,
      latencyMs: { ours: summary(latency.oursMs), plain: summary(latency.plainMs) },
      ratios: ratiosOf(result),
      targets,
    },
    svg: barChartSvg(chart(result)),
    targets,
  };
}

function latencyText(timesMs: readonly number[]): string {
  return `p50 ${figure(percentile(timesMs, 0.5))} ms, p99 ${figure(percentile(timesMs, 0.99))} ms`;
}

function samplesOf({ peers }: KafkaResult, name: KafkaPeerName): KafkaResult["peers"][number]["samples"] {
  const peer = peers.find((one) => one.name === name);
  if (!peer) throw new RangeError(`no peer ${name} in the result`);
  return peer.samples;
}

/** How many times the CPU of ours each peer needs for a reading, round by round. */
function ratiosOf(result: KafkaResult): { name: KafkaPeerName; spread: Spread }[] {
  const ours = samplesOf(result, "ours");
  const ratio = (theirs: number, round: number): number =>
    theirs / (ours[round]?.cpuMicrosPerReading ?? Number.NaN);
  return result.peers
    .filter(({ name }) => name !== "ours")
    .map(({ name, samples }) => ({
      name,
      spread: spreadOf(samples.map(({ cpuMicrosPerReading }, round) => ratio(cpuMicrosPerReading, round))),
    }));
}

function markdown(result: KafkaResult): string {
  const ratios = new Map(ratiosOf(result).map(({ name, spread }) => [name, spread]));
  const rows = result.peers.map(({ name, samples, peakMemoryMib }) => {
    const ratio = ratios.get(name);
    return [
      labels[name],
      spreadText(spreadOf(samples.map((sample) => sample.cpuMicrosPerReading))),
      ratio ? spreadText(ratio) : "1",
      spreadText(spreadOf(samples.map((sample) => sample.readingsPerSecond))),
      spreadOf(samples.map((sample) => sample.cores)).median.toFixed(2),
      figure(peakMemoryMib),
    ];
  });
  return `# Ingest to Kafka

What a reading costs the server that delivers it to one Kafka broker (acks=all), in CPU of that server. Median (minimum – maximum) of ${roundsText(samplesOf(result, "ours").length)}; in each, every peer in turn was loaded for ${result.roundMs / 1000} s by another process. Ratios are taken round by round.

${markdownTable(["Server", "CPU µs a reading", "times ours", "readings/s", "cores busy", "peak MiB"], rows)}

${kafkaTargets(result)
  .map((target) => `- ${targetText(target)}`)
  .join("\n")}

Topics of ${result.partitions} partitions on one broker, on the same machine as servers and load, so that readings a second are bounded by all of them. FastAPI accepts one reading a request; ours and the peer on kafkajs accept the same gRPC streams of ${fleet.readingsPerFrame} readings a frame, and differ only in the log. The plain producer is that of @platformatic/kafka in the process of the load, which sends each unit in one request: what it measures is the share of the broker, and of the load. It and ingest were measured alternately. The topic of ours has exactly the readings that were acknowledged.

${machineText(result.machine)}. Load average of the machine: ${figure(result.load.before)} before, ${spreadText(result.load.during)} while it ran.
`;
}

function chart(result: KafkaResult): BarChart {
  return {
    title: "CPU that one reading costs ingest on its way to Kafka",
    subtitle: `median of ${roundsText(samplesOf(result, "ours").length)}; ${result.machine.cpu}, ${result.machine.day}`,
    axis: "µs of CPU a reading (logarithmic)",
    bars: result.peers.map(({ name, samples }) => {
      const spread = spreadOf(samples.map((sample) => sample.cpuMicrosPerReading));
      return { label: labels[name], spread, text: `${figure(spread.median)} µs`, ours: name === "ours" };
    }),
  };
}
