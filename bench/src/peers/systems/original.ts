import { mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { startEngines } from "@devicemesh/engines";
import { alignDown, alignUp } from "@devicemesh/proto";
import { startPeer } from "../../ingest/ingest-peers.ts";
import { pythonEnvironment, run } from "../../ingest/python-environment.ts";
import { sampleLoad } from "../../load/load-sample.ts";
import { cpuMs } from "../../report/process-usage.ts";
import {
  createBruteForce,
  isExact,
  type JudgedQuestion,
  type PeerAnswer,
  type PeerQuestion,
} from "../questions.ts";
import { type BenchReadings, batchesOf } from "../readings.ts";

const peerFile = (name: string) => fileURLToPath(new URL(`../../../peers/original/${name}`, import.meta.url));

/** What the original design costs, and how many of its answers are exact. */
export type OriginalResult = {
  /** CPU of FastAPI for a reading that its broker acknowledged, in µs. The broker's own part is librdkafka's mock. */
  readonly ingestMicrosPerReading: number;
  /** CPU of Spark for a distinct reading, the start of the job included, in µs. */
  readonly jobMicrosPerReading: number;
  readonly exact: number;
  readonly asked: number;
  /** The same for the questions with both bounds moved to a border of windows, where the design can be exact. */
  readonly exactOnBorders: number;
  /** Readings that the windows contain; duplicates count each time. */
  readonly counted: number;
  readonly firstWrong?: string;
};

/** Readings in a micro-batch of the job. */
const batchReadings = 20_000;

/**
 * Runs the original design's window job on a real Spark over the readings in the order of their arrival, and answers
 * the questions from its windows as the original did: the average of averages, the least minimum, the greatest maximum.
 */
export async function measureOriginal(
  readings: BenchReadings,
  questions: readonly JudgedQuestion[],
  options: { readonly folder: string; readonly cache: string; readonly progress: (line: string) => void },
): Promise<OriginalResult> {
  const { folder, cache, progress } = options;
  const ingestMicrosPerReading = await measureIngest(options);
  progress(`original: ${ingestMicrosPerReading.toFixed(1)} µs of FastAPI a reading`);
  const python = await pythonEnvironment({
    name: "the original's job",
    requirements: peerFile("requirements.txt"),
    cache,
    progress,
  });
  await using engines = await startEngines({
    folder: join(folder, "engines"),
    fresh: true,
    parts: ["spark"],
    onProgress: ({ engine, text, ready }) => {
      if (ready) progress(`${engine} ${text}`);
    },
  });
  const [source, target] = [join(folder, "arriving"), join(folder, "windows")];
  writeFiles(readings, source);
  const sparkPid = (await engines.status()).find(({ name }) => name === "spark")?.processId;
  if (sparkPid === undefined) throw new Error("Spark does not run");
  const beforeMs = cpuMs(sparkPid);
  progress("original: the window job runs ...");
  await run(python, [peerFile("job.py"), `sc://${engines.addresses.sparkUrl}`, source, target]);
  const jobMicrosPerReading = ((cpuMs(sparkPid) - beforeMs) * 1000) / readings.distinct.length;
  const windows = readWindows(target);
  let exact = 0;
  let firstWrong: string | undefined;
  for (const { question, expected } of questions) {
    const answer = averageOfAverages(windows, question);
    if (isExact(answer, expected)) exact++;
    else
      firstWrong ??= `${JSON.stringify(question)}: ${JSON.stringify(answer)} instead of ${JSON.stringify(expected)}`;
  }
  const rightOnBorders = createBruteForce(readings.distinct);
  const exactOnBorders = questions
    .map(({ question }) => onBorders(question))
    .filter((question) => isExact(averageOfAverages(windows, question), rightOnBorders(question))).length;
  progress(`original: ${exact} of ${questions.length} answers exact`);
  return {
    ingestMicrosPerReading,
    jobMicrosPerReading,
    exact,
    asked: questions.length,
    exactOnBorders,
    counted: windows.reduce((sum, { count }) => sum + count, 0),
    ...(firstWrong === undefined ? {} : { firstWrong }),
  };
}

const ingestMs = 5000;

/** Loads the original's ingest at full speed, once to warm up and once that counts. */
async function measureIngest(options: Parameters<typeof measureOriginal>[2]): Promise<number> {
  await using peer = await startPeer("fastapi", options);
  const round = { pid: peer.server.pid, load: peer.load, ms: ingestMs };
  await sampleLoad(round);
  return (await sampleLoad(round)).cpuMicrosPerReading;
}

/**
 * One file a batch. Spark takes files in the order of their time of modification. A last reading far ahead, of a sensor
 * that nothing asks about, moves the watermark over all windows.
 */
function writeFiles(readings: BenchReadings, folder: string): void {
  mkdirSync(folder, { recursive: true });
  const lines = [...batchesOf(readings.sent, batchReadings)].map((batch) =>
    batch.map(({ deviceId, sensor, timestampMs, value }) =>
      JSON.stringify({ device_id: deviceId, ms: timestampMs, sensor, value }),
    ),
  );
  lines.push([JSON.stringify({ device_id: "end", ms: readings.toMs + 86_400_000, sensor: "end", value: 0 })]);
  const nowSeconds = Date.now() / 1000 - lines.length;
  for (const [index, batch] of lines.entries()) {
    const path = join(folder, `${String(index).padStart(6, "0")}.json`);
    writeFileSync(path, `${batch.join("\n")}\n`);
    utimesSync(path, nowSeconds + index, nowSeconds + index);
  }
}

const windowMs = 10_000;

/** The timeframe of the windows that a question touches. */
function onBorders(question: PeerQuestion): PeerQuestion {
  const { sinceMs, toMs } = question;
  return { ...question, sinceMs: alignDown(sinceMs, windowMs), toMs: alignUp(toMs, windowMs) };
}

type Window = {
  readonly startMs: number;
  readonly device_id: string;
  readonly sensor: string;
  readonly average: number;
  readonly minimum: number;
  readonly maximum: number;
  readonly count: number;
};

function readWindows(folder: string): Window[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith(".json"))
    .flatMap((name) => readFileSync(join(folder, name), "utf8").split("\n"))
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Window);
}

function averageOfAverages(
  windows: readonly Window[],
  { sensor, deviceId, sinceMs, toMs }: PeerQuestion,
): PeerAnswer {
  const found = windows.filter(
    (one) =>
      one.sensor === sensor &&
      (deviceId === undefined || one.device_id === deviceId) &&
      one.startMs >= sinceMs &&
      one.startMs < toMs,
  );
  if (found.length === 0) return { count: 0 };
  return {
    count: found.reduce((sum, { count }) => sum + count, 0),
    average: found.reduce((sum, { average }) => sum + average, 0) / found.length,
    minimum: found.reduce((least, { minimum }) => Math.min(least, minimum), Number.POSITIVE_INFINITY),
    maximum: found.reduce((most, { maximum }) => Math.max(most, maximum), Number.NEGATIVE_INFINITY),
  };
}
