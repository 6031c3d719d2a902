import { rmSync } from "node:fs";
import { mkdir, mkdtemp } from "node:fs/promises";
import { join, resolve } from "node:path";
import { loadSettings } from "@devicemesh/kit/settings/define-settings";
import { listOf } from "@devicemesh/kit/settings/list-of";
import { runExportBench } from "./export/export-bench.ts";
import { exportReport } from "./export/export-report.ts";
import { freshnessSizes, runFreshnessBench } from "./freshness/freshness-bench.ts";
import { freshnessReport } from "./freshness/freshness-report.ts";
import { runImportBench } from "./import/import-bench.ts";
import { importReport } from "./import/import-report.ts";
import { runIngestBench } from "./ingest/ingest-bench.ts";
import { ownNames, peerNames } from "./ingest/ingest-peers.ts";
import { ingestReport } from "./ingest/ingest-report.ts";
import { kafkaPeerNames, runKafkaBench } from "./kafka/kafka-bench.ts";
import { kafkaReport } from "./kafka/kafka-report.ts";
import { runLate } from "./late/run-late.ts";
import { runMeshBench } from "./mesh/mesh-bench.ts";
import { meshPeerNames } from "./mesh/mesh-ingest.ts";
import { meshReport } from "./mesh/mesh-report.ts";
import { runPageBench } from "./page/page-bench.ts";
import { pageReport } from "./page/page-report.ts";
import { runPeersBench } from "./peers/peers-bench.ts";
import { peersReport } from "./peers/peers-report.ts";
import { runProfiles } from "./profiles/run-profiles.ts";
import { runQueryBench } from "./query/query-bench.ts";
import { queryReport } from "./query/query-report.ts";
import { type Report, summary, writeReport } from "./report/report.ts";
import { runSeriesBench } from "./series/series-bench.ts";
import { seriesReport } from "./series/series-report.ts";
import { type BenchConfig, benchSettings } from "./settings.ts";
import { runStreamsBench } from "./streams/streams-bench.ts";
import { streamsReport } from "./streams/streams-report.ts";
import { runTail } from "./tail/run-tail.ts";
import { runWatchBench } from "./watch/watch-bench.ts";
import { watchReport } from "./watch/watch-report.ts";
import { runWindows } from "./windows/run-windows.ts";

const benches: Readonly<Record<string, (config: BenchConfig) => Promise<Report>>> = {
  ingest,
  query,
  watch,
  series,
  streams,
  import: importFiles,
  export: exportFiles,
  page,
  peers,
  kafka,
  windows: (config) => unwound((signal) => runWindows(config, { progress, signal })),
  freshness,
  late: (config) => unwound((signal) => runLate(config, { progress, signal })),
  tail: (config) => unwound((signal) => runTail(config, { progress, signal })),
  mesh,
  profiles: (config) => unwound((signal) => runProfiles(config, { progress, signal })),
};
/** The default benches: the mesh needs Java. */
const usual: readonly string[] = ["ingest", "query"];
/** Aborted at the first Ctrl-C while a bench runs that must end its engines in order. */
let unwinding: AbortController | undefined;

// Ctrl-C or a timeout ends the servers and removes temporary files of this run.
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.on(signal, () => {
    if (!unwinding || unwinding.signal.aborted) process.exit(130);
    unwinding.abort(new Error("stopped by a signal"));
  });
}

const loaded = loadSettings(benchSettings, { args: process.argv.slice(2), env: process.env });
if (loaded.kind === "settings") {
  await run(loaded.values, loaded.positionals);
} else {
  (loaded.kind === "help" ? process.stdout : process.stderr).write(loaded.text);
  process.exitCode = loaded.kind === "help" ? 0 : 2;
}

async function run(config: BenchConfig, names: readonly string[]): Promise<void> {
  const unknown = names.filter((name) => !Object.hasOwn(benches, name));
  if (unknown.length > 0) {
    process.stderr.write(
      `no such bench: ${unknown.join(", ")}; there are ${Object.keys(benches).join(", ")}\n`,
    );
    process.exitCode = 2;
    return;
  }
  // The figures of a quick run must not replace real ones.
  const out = config.out ?? (config.quick ? join(config.cache, "quick") : "bench/results");
  const reports: Report[] = [];
  for (const [name, bench] of Object.entries(benches)) {
    if (!(names.length > 0 ? names : usual).includes(name)) continue;
    const report = await bench(config);
    await writeReport(resolve(out), report);
    reports.push(report);
  }
  if (config.quick) process.stdout.write("\na quick run: no measurement\n");
  process.stdout.write(`\n${reports.map(summary).join("")}tables and charts: ${out}\n`);
}

async function ingest(config: BenchConfig): Promise<Report> {
  const cache = resolve(config.cache);
  await mkdir(cache, { recursive: true });
  const folder = await mkdtemp(join(cache, "ingest-"));
  const remove = () => rmSync(folder, { recursive: true, force: true });
  process.once("exit", remove);
  try {
    return ingestReport(
      await runIngestBench({
        peers: peerNames.filter((name) => ownNames.includes(name) || listOf(config.peers).includes(name)),
        rounds: config.quick ? 1 : config.rounds,
        roundMs: config.quick ? 1000 : config.round,
        warmUpMs: config.quick ? 500 : config.round,
        settle: !config.quick,
        cache,
        folder,
        progress,
      }),
    );
  } finally {
    process.off("exit", remove);
    remove();
  }
}

async function query(config: BenchConfig): Promise<Report> {
  return queryReport(
    await runQueryBench({
      readings: config.quick ? Math.min(config.readings, 100_000) : config.readings,
      rounds: config.quick ? 1 : config.rounds,
      questionsPerRound: config.quick ? 20 : 200,
      cache: resolve(config.cache),
      progress,
    }),
  );
}

async function watch(config: BenchConfig): Promise<Report> {
  return watchReport(
    await runWatchBench({
      watchers: config.quick ? 100 : 1000,
      questions: config.quick ? 10 : 50,
      rounds: config.quick ? 1 : config.rounds,
      roundMs: config.quick ? 1000 : config.round,
      cache: resolve(config.cache),
      progress,
    }),
  );
}

async function series(config: BenchConfig): Promise<Report> {
  return seriesReport(
    await runSeriesBench({
      series: config.quick ? 50_000 : 1_000_000,
      rounds: config.quick ? 5 : 20,
      cache: resolve(config.cache),
      progress,
    }),
  );
}

async function streams(config: BenchConfig): Promise<Report> {
  return streamsReport(
    await runStreamsBench({
      devices: config.quick ? 400 : 10_000,
      connections: config.quick ? 4 : 40,
      rounds: config.quick ? 1 : config.rounds,
      roundMs: config.quick ? 1500 : config.round,
      warmUpMs: config.quick ? 1000 : config.round,
      cache: resolve(config.cache),
      progress,
    }),
  );
}

async function importFiles(config: BenchConfig): Promise<Report> {
  return importReport(
    await runImportBench({
      rows: config.quick ? 50_000 : 1_000_000,
      rounds: config.quick ? 1 : config.rounds,
      cache: resolve(config.cache),
      progress,
    }),
  );
}

async function exportFiles(config: BenchConfig): Promise<Report> {
  return exportReport(
    await runExportBench({
      readings: config.quick ? 50_000 : 1_000_000,
      rounds: config.quick ? 1 : config.rounds,
      cache: resolve(config.cache),
      progress,
    }),
  );
}

async function page(config: BenchConfig): Promise<Report> {
  return pageReport(
    await runPageBench({
      devices: 200,
      rounds: config.quick ? 1 : config.rounds,
      viewMs: config.quick ? 2000 : 30_000,
      memoryMs: config.quick ? 5000 : config.minutes * 60_000,
      cache: resolve(config.cache),
      env: process.env,
      progress,
    }),
  );
}

async function peers(config: BenchConfig): Promise<Report> {
  return peersReport(
    await runPeersBench({
      readings: config.quick ? 40_000 : 2_000_000,
      questions: config.quick ? 100 : 1000,
      original: !config.quick,
      cache: resolve(config.cache),
      progress,
    }),
  );
}

function mesh(config: BenchConfig): Promise<Report> {
  return unwound(async (signal) =>
    meshReport(
      await runMeshBench({
        peers: meshPeerNames.filter((name) => name === "ours" || listOf(config.peers).includes(name)),
        rounds: config.quick ? 1 : config.rounds,
        roundMs: config.quick ? 1000 : config.round,
        warmUpMs: config.quick ? 500 : config.round,
        chain: config.quick
          ? { backlogReadings: 40_000, liveMs: 15_000, liveDevices: 100 }
          : { backlogReadings: 600_000, liveMs: 120_000, liveDevices: 500 },
        cache: resolve(config.cache),
        env: process.env,
        progress,
        signal,
      }),
    ),
  );
}

function kafka(config: BenchConfig): Promise<Report> {
  return unwound(async (signal) =>
    kafkaReport(
      await runKafkaBench({
        peers: kafkaPeerNames.filter((name) => name !== "fastapi" || listOf(config.peers).includes(name)),
        rounds: config.quick ? 1 : config.rounds,
        roundMs: config.quick ? 1000 : config.round,
        warmUpMs: config.quick ? 500 : config.round,
        latencyMs: config.quick ? 1000 : 10_000,
        cache: resolve(config.cache),
        progress,
        signal,
      }),
    ),
  );
}

function freshness({ quick, cache }: BenchConfig): Promise<Report> {
  return unwound(async (signal) => {
    const places = { cache: resolve(cache), env: process.env, progress, signal };
    return freshnessReport(await runFreshnessBench({ ...freshnessSizes(quick), ...places }));
  });
}

/** Runs a bench with engines: at a signal they are ended in order. */
async function unwound(bench: (signal: AbortSignal) => Promise<Report>): Promise<Report> {
  const stopping = new AbortController();
  unwinding = stopping;
  try {
    return await bench(stopping.signal);
  } catch (error) {
    if (!stopping.signal.aborted) throw error;
    process.stderr.write("stopped; the engines have ended\n");
    return process.exit(130);
  } finally {
    unwinding = undefined;
  }
}

function progress(line: string): void {
  process.stdout.write(`${line}\n`);
}
