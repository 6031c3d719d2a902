import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { type MachineFacts, machineFacts } from "../report/machine.ts";
import { type Percentiles, percentilesOf } from "../report/statistics.ts";
import { PeerMissing, type PeerOptions, type StorePeer } from "./peer.ts";
import {
  createPeerQuestions,
  createWarmUpQuestions,
  isExact,
  type JudgedQuestion,
  type PeerQuestion,
} from "./questions.ts";
import { type BenchReadings, batchesOf, createBenchReadings } from "./readings.ts";
import { startDeviceMesh } from "./systems/device-mesh.ts";
import { startDuckdbAlone } from "./systems/duckdb-alone.ts";
import { startInfluxdb } from "./systems/influxdb.ts";
import { measureOriginal, type OriginalResult } from "./systems/original.ts";
import { startPostgresql } from "./systems/postgresql.ts";
import { startQuestdb } from "./systems/questdb.ts";
import { startVictoriaMetrics } from "./systems/victoria-metrics.ts";

/** The systems that are compared, in the order of the table. */
const peers: Readonly<Record<string, (options: PeerOptions) => Promise<StorePeer>>> = {
  "Device Mesh": startDeviceMesh,
  VictoriaMetrics: startVictoriaMetrics,
  InfluxDB: startInfluxdb,
  QuestDB: startQuestdb,
  PostgreSQL: startPostgresql,
  "DuckDB alone": startDuckdbAlone,
};

/** How to run it. */
export type PeersBenchSettings = {
  /** Distinct readings to store. */
  readonly readings: number;
  readonly questions: number;
  /** Systems to measure, by their names in the table; all if absent. */
  readonly systems?: readonly string[];
  /** Whether to run the original design's job, which needs the engines. */
  readonly original: boolean;
  readonly cache: string;
  readonly progress: (line: string) => void;
};

/** The figures of one system. */
export type PeerResult = {
  readonly name: string;
  readonly version: string;
  readonly settings: string;
  readonly durable: boolean;
  /** User and system time of all its processes per distinct reading, background work until rest included, in µs. */
  readonly cpuMicrosPerReading: number;
  readonly readingsPerSecond: number;
  readonly bytesPerReading: number;
  /** The largest resident memory that was seen, in MiB. */
  readonly memoryMib: number;
  readonly exact: number;
  readonly asked: number;
  /** The first wrong answer, as text. */
  readonly firstWrong?: string;
  /** Latency of answers, in ms. */
  readonly oneSeriesMs: Percentiles;
  readonly allSeriesMs: Percentiles;
};

/** What the bench found. */
export type PeersResult = {
  readonly machine: MachineFacts;
  readonly distinct: number;
  readonly sent: number;
  readonly peers: readonly PeerResult[];
  readonly original?: OriginalResult;
  /** The systems that could not be installed, with what is missing. */
  readonly missing: readonly { readonly name: string; readonly text: string }[];
};

/** Loads the same readings into each system, one after the other, and asks each the same questions. */
export async function runPeersBench(settings: PeersBenchSettings): Promise<PeersResult> {
  const readings = createBenchReadings(settings.readings);
  const questions = createPeerQuestions(readings, settings.questions);
  const warmUp = createWarmUpQuestions(readings, settings.questions);
  const found: PeerResult[] = [];
  const missing: { name: string; text: string }[] = [];
  await mkdir(settings.cache, { recursive: true });
  for (const [name, start] of Object.entries(peers)) {
    if (settings.systems && !settings.systems.includes(name)) continue;
    const folder = await mkdtemp(join(settings.cache, "peer-"));
    try {
      await using peer = await start({ folder, cache: settings.cache, progress: settings.progress });
      found.push(await measure(name, peer, { readings, questions, warmUp }, settings.progress));
    } catch (error) {
      if (!(error instanceof PeerMissing)) throw error;
      settings.progress(`${name}: not measured; missing: ${error.message}`);
      missing.push({ name, text: error.message });
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }
  const original = settings.original ? await runOriginal(settings, readings, questions) : undefined;
  return {
    ...(original ? { original } : {}),
    machine: machineFacts(Date.now()),
    distinct: readings.distinct.length,
    sent: readings.sent.length,
    peers: found,
    missing,
  };
}

async function runOriginal(
  settings: PeersBenchSettings,
  readings: BenchReadings,
  questions: readonly JudgedQuestion[],
): Promise<OriginalResult> {
  const folder = await mkdtemp(join(settings.cache, "peer-"));
  try {
    return await measureOriginal(readings, questions, { ...settings, folder });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Batches that a peer has in hand at once. */
const inFlight = 4;

async function measure(
  name: string,
  peer: StorePeer,
  load: {
    readonly readings: BenchReadings;
    readonly questions: readonly JudgedQuestion[];
    readonly warmUp: readonly PeerQuestion[];
  },
  progress: (line: string) => void,
): Promise<PeerResult> {
  const { readings, questions, warmUp } = load;
  const beforeMs = peer.cpuMs();
  const startMs = performance.now();
  const batches = batchesOf(readings.sent, peer.batchSize);
  await Promise.all(Array.from({ length: inFlight }, () => sendAll(peer, batches)));
  const elapsedMs = performance.now() - startMs;
  let memoryMib = peer.memoryMib();
  await peer.settle();
  await untilRest(peer);
  const cpuMs = peer.cpuMs() - beforeMs;
  memoryMib = Math.max(memoryMib, peer.memoryMib());
  const bytes = await peer.diskBytes();
  progress(
    `${name}: stored ${readings.distinct.length.toLocaleString("en-US")} readings in ${Math.round(elapsedMs)} ms`,
  );
  for (const question of warmUp) await peer.ask(question);
  const oneSeriesMs: number[] = [];
  const allSeriesMs: number[] = [];
  let exact = 0;
  let firstWrong: string | undefined;
  for (const { question, expected } of questions) {
    const askedMs = performance.now();
    const answer = await peer.ask(question);
    (question.deviceId === undefined ? allSeriesMs : oneSeriesMs).push(performance.now() - askedMs);
    if (isExact(answer, expected)) exact++;
    else
      firstWrong ??= `${JSON.stringify(question)}: ${JSON.stringify(answer)} instead of ${JSON.stringify(expected)}`;
  }
  memoryMib = Math.max(memoryMib, peer.memoryMib());
  progress(`${name}: ${exact} of ${questions.length} answers exact`);
  return {
    name,
    version: peer.version,
    settings: peer.settings,
    durable: peer.durable,
    cpuMicrosPerReading: (cpuMs * 1000) / readings.distinct.length,
    readingsPerSecond: (readings.sent.length / elapsedMs) * 1000,
    bytesPerReading: bytes / readings.distinct.length,
    memoryMib,
    exact,
    asked: questions.length,
    ...(firstWrong === undefined ? {} : { firstWrong }),
    oneSeriesMs: percentilesOf(oneSeriesMs),
    allSeriesMs: percentilesOf(allSeriesMs),
  };
}

async function sendAll(peer: StorePeer, batches: Generator<Parameters<StorePeer["send"]>[0]>): Promise<void> {
  for (let next = batches.next(); !next.done; next = batches.next()) await peer.send(next.value);
}

/** Waits until a system uses less than a twentieth of a core for two seconds, but not longer than two minutes. */
async function untilRest(peer: StorePeer): Promise<void> {
  const deadlineMs = performance.now() + 120_000;
  for (let quiet = 0; quiet < 4 && performance.now() < deadlineMs; ) {
    const beforeMs = peer.cpuMs();
    await delay(500);
    quiet = peer.cpuMs() - beforeMs <= 25 ? quiet + 1 : 0;
  }
}
