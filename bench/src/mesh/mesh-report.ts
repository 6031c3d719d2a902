import { fastapiVersions } from "../ingest/fastapi-environment.ts";
import { fleet } from "../ingest/ingest-peers.ts";
import type { LoadSample } from "../load/load-sample.ts";
import { type BarChart, barChartSvg } from "../report/chart.ts";
import { figure, markdownTable, roundsText, spreadText } from "../report/figures.ts";
import type { LoadSpread } from "../report/load-watch.ts";
import { machineText } from "../report/machine.ts";
import type { Report } from "../report/report.ts";
import { type Percentiles, percentilesOf, type Spread, spreadOf } from "../report/statistics.ts";
import type { MeshResult } from "./mesh-bench.ts";
import { probePollMs } from "./mesh-freshness.ts";
import { type MeshPeerName, type MeshPeerResult, meshFramesPerUnit } from "./mesh-ingest.ts";
import { busyBatches, rowsPerSecond, type WindowBatch } from "./window-job-batches.ts";

const labels: Readonly<Record<MeshPeerName, string>> = {
  fastapi: "FastAPI + confluent-kafka",
  ours: "Device Mesh ingest",
};

const does: Readonly<Record<MeshPeerName, string>> = {
  fastapi: "one POST a reading; checked, flattened, delivered to Kafka, then answered",
  ours: `gRPC, ${fleet.readingsPerFrame} readings a frame; checked, flattened, delivered to Kafka, then answered`,
};

/** The report: tables and a chart. It has no targets, because all figures are absolute. */
export function meshReport(result: MeshResult): Report {
  return {
    name: "mesh",
    markdown: markdown(result),
    json: { ...result, ratios: meshRatios(result), summary: meshSummary(result) },
    svg: barChartSvg(chart(result)),
    targets: [],
  };
}

/** Round by round: the peer's CPU time relative to ours, and our readings a second relative to the peer's. */
export type MeshRatios = { readonly cpu: Spread; readonly readingsPerSecond: Spread };

/** The ratios to the FastAPI peer; undefined if it was left out. */
export function meshRatios({ peers }: Pick<MeshResult, "peers">): MeshRatios | undefined {
  const theirs = peers.find(({ name }) => name === "fastapi")?.samples;
  const ours = oursOf(peers).samples;
  if (!theirs) return undefined;
  const ratios = (of: (their: LoadSample, our: LoadSample) => number): Spread =>
    spreadOf(theirs.map((their, round) => of(their, ours[round]!)));
  return {
    cpu: ratios((their, our) => their.cpuMicrosPerReading / our.cpuMicrosPerReading),
    readingsPerSecond: ratios((their, our) => our.readingsPerSecond / their.readingsPerSecond),
  };
}

/** Figures of the pipeline behind ingest. */
export type MeshSummary = {
  readonly sinkDocumentsPerSecond: number;
  /** All rows of the batches that processed the backlog, divided by their total time. */
  readonly sparkRowsPerSecond: number;
  readonly backlogBatchMs: Spread;
  readonly backlogBatches: number;
  readonly liveRowsPerBatch: number;
  readonly liveBatchMs: Spread;
  readonly liveBatches: number;
  readonly storedMs: Percentiles;
  readonly inAnswerMs: Percentiles;
  readonly coveredMs: Percentiles;
};

/** Combines the figures. @throws RangeError without a batch or a probe. */
export function meshSummary({ chain }: Pick<MeshResult, "chain">): MeshSummary {
  const busy = busyBatches(chain.backlog.batches);
  const live = chain.live.batches;
  const times = (batches: readonly WindowBatch[]): Spread => spreadOf(batches.map(({ batchMs }) => batchMs));
  return {
    sinkDocumentsPerSecond: chain.sink.documentsPerSecond,
    sparkRowsPerSecond: rowsPerSecond(busy),
    backlogBatchMs: times(busy),
    backlogBatches: busy.length,
    liveRowsPerBatch: spreadOf(live.map(({ rows }) => rows)).median,
    liveBatchMs: times(live),
    liveBatches: live.length,
    storedMs: percentilesOf(chain.live.probes.storedMs),
    inAnswerMs: percentilesOf(chain.live.probes.inAnswerMs),
    coveredMs: percentilesOf(chain.live.probes.coveredMs),
  };
}

function oursOf(peers: readonly MeshPeerResult[]): MeshPeerResult {
  const ours = peers.find(({ name }) => name === "ours");
  if (!ours) throw new RangeError("ours must be among the peers");
  return ours;
}

function ingestTable(result: MeshResult): string {
  const ratios = meshRatios(result);
  const rows = result.peers.map(({ name, samples, peakMemoryMib }) => {
    const theirs = name === "fastapi" && ratios !== undefined;
    return [
      `${labels[name]}: ${does[name]}`,
      spreadText(spreadOf(samples.map((sample) => sample.cpuMicrosPerReading))),
      theirs ? spreadText(ratios.cpu) : "1",
      spreadText(spreadOf(samples.map((sample) => sample.readingsPerSecond))),
      theirs ? `1/${spreadText(ratios.readingsPerSecond)}` : "1",
      spreadOf(samples.map((sample) => sample.cores)).median.toFixed(2),
      figure(peakMemoryMib),
    ];
  });
  return markdownTable(
    ["Server", "CPU µs a reading", "times ours", "readings/s", "times ours", "cores busy", "peak MiB"],
    rows,
  );
}

function chainTable(result: MeshResult): string {
  const { backlogReadings, sink, backlog, live } = result.chain;
  const summary = meshSummary(result);
  const seconds = (ms: number): string => `${figure(ms / 1000)} s`;
  const pair = (ms: readonly number[]): string => {
    const { p50, p99 } = percentilesOf(ms);
    return `${seconds(p50)} / ${seconds(p99)}`;
  };
  const delays = [
    ["until the database has the reading", "storedMs"],
    ["until an answer counts the reading", "inAnswerMs"],
    ["until the frontier has passed the reading", "coveredMs"],
  ] as const;
  const { probes, warmUp, warmUpSeconds } = live;
  const spread = ({ median, minimum, maximum }: Spread): string =>
    `${spreadText({ median: median / 1000, minimum: minimum / 1000, maximum: maximum / 1000 })} s`;
  return markdownTable(
    ["What", "figure"],
    [
      [
        `sink of readings (Kafka Connect) into ${databaseText(result)}, ${backlogReadings.toLocaleString("en-US")} of them waiting, for ${figure(sink.seconds)} s`,
        `${figure(summary.sinkDocumentsPerSecond)} documents/s`,
      ],
      ["window job (Spark) with the same readings waiting", `${figure(summary.sparkRowsPerSecond)} rows/s`],
      [`its batches meanwhile (${summary.backlogBatches})`, spread(summary.backlogBatchMs)],
      [
        `from the start of the aggregator until the frontier was past all of them, their ${backlog.partials.toLocaleString("en-US")} partials in the database`,
        `${figure(backlog.coveredSeconds)} s`,
      ],
      [
        `batches of the window job live, ${live.devices} readings/s (${summary.liveBatches} seen, median ${figure(summary.liveRowsPerBatch)} rows with ticks)`,
        spread(summary.liveBatchMs),
      ],
      ...delays.map(([what, of]) => [
        `from the acknowledgement ${what}, p50 / p99 of ${probes[of].length} probes`,
        pair(probes[of]),
      ]),
      ...delays.map(([what, of]) => [
        `the same ${what}, of ${warmUp[of].length} probes in the first ${figure(warmUpSeconds)} s`,
        pair(warmUp[of]),
      ]),
    ],
  );
}

function databaseText({ database }: MeshResult): string {
  return database === "mongod" ? "MongoDB" : "the stand-in for MongoDB";
}

function markdown(result: MeshResult): string {
  const { peers, roundMs, partitions, machine, load, database } = result;
  const ours = oursOf(peers);
  const versions = Object.entries({
    ...(peers.length > 1 ? fastapiVersions() : {}),
    ...result.chain.versions,
  });
  const held = peers.map(
    ({ name, acknowledged, duplicates }) =>
      `${labels[name]} ${acknowledged.toLocaleString("en-US")}${duplicates > 0 ? ` and ${duplicates.toLocaleString("en-US")} duplicates` : ""}`,
  );
  const standIn =
    database === "stand-in"
      ? "\n\nThe database is a stand-in that speaks MongoDB's protocol, not MongoDB: its documents a second, and the part of freshness that waits for it, are no measure of MongoDB. Put `mongod` on the PATH to measure that."
      : "";
  return `# Mesh

The real mesh on one machine: broker, Kafka Connect, Spark, database, our services, and the load all share its cores.

## Ingest, to one Kafka broker

Median (minimum – maximum) of ${roundsText(ours.samples.length)}; in each, every peer in turn was loaded for ${roundMs / 1000} s by another process, and wrote to a topic of its own, of the same settings (${partitions} partitions), on the same broker, acks=all. Ratios are taken round by round. Neither sink nor window job ran.

${ingestTable(result)}

At the end each topic contained exactly the readings that were acknowledged: ${held.join(", ")}.

CPU is user and system time of the server process, all threads, from /proc; the broker's is not in it, and takes from the readings a second of both. Connections: FastAPI ${fleet.fastapiConnections} (one request in flight each), ours ${fleet.gateways} (commit units of ${meshFramesPerUnit} frames). A broker of one machine acknowledges what is in its page cache, as Kafka does.

## Behind it

${chainTable(result)}

Batch times: median (minimum – maximum). Rows a second: all rows of the batches by all their time. The sink worked the backlog off before the window job was started; then the answer counted exactly the readings that were acknowledged. The first seconds with live readings, while the JVMs compile, are stated apart. Probes are single readings while ${result.chain.live.devices} devices send one a second each, queried every ${probePollMs} ms until an answer counts them.${standIn}

${machineText(machine)}. ${loadText(load, machine.cores)} ${versions.map(([name, version]) => `${name} ${version}`).join(", ")}.
`;
}

/** The load of the bench itself: a server, its load, the broker, and the decay of the average. */
const ownLoadMax = 5;

/** The load of other programs. */
function loadText({ before, during }: LoadSpread, cores: number): string {
  const text = `Load average on ${cores} cores: ${before.toFixed(1)} before the start, ${spreadText(during)} during the run, the bench itself included`;
  return before > cores || during.median > ownLoadMax
    ? `${text}: the machine was busy with other work, which took from what is measured here.`
    : `${text}.`;
}

function chart(result: MeshResult): BarChart {
  const summary = meshSummary(result);
  const single = (value: number): Spread => ({ median: value, minimum: value, maximum: value });
  const bar = (label: string, spread: Spread, ours: boolean): BarChart["bars"][number] => ({
    label,
    spread,
    text: `${figure(spread.median)} /s`,
    ours,
  });
  return {
    title: "Readings a second through each part of the real mesh",
    subtitle: `each alone on one machine; ingest: median of ${roundsText(oursOf(result.peers).samples.length)}, line from minimum to maximum; ${result.machine.cpu}, ${result.machine.day}`,
    axis: "readings a second (logarithmic)",
    bars: [
      ...result.peers.map(({ name, samples }) =>
        bar(
          `${labels[name]}, to Kafka`,
          spreadOf(samples.map((sample) => sample.readingsPerSecond)),
          name === "ours",
        ),
      ),
      bar("Spark, into windows", single(summary.sparkRowsPerSecond), true),
      bar(
        result.database === "mongod" ? "sink, into MongoDB" : "sink, into MongoDB's stand-in",
        single(summary.sinkDocumentsPerSecond),
        true,
      ),
    ],
  };
}
