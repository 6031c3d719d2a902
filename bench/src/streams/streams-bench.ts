import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { startIngestServer, storedExactly } from "../ingest/ingest-peers.ts";
import { type LoadSpread, watchMachineLoad } from "../report/load-watch.ts";
import { type MachineFacts, machineFacts } from "../report/machine.ts";
import { cpuMs, peakMemoryMib } from "../report/process-usage.ts";
import { percentile } from "../report/statistics.ts";
import { openDeviceStreams } from "./device-streams.ts";

/** The options of a run. */
export type StreamsBenchSettings = {
  readonly devices: number;
  /** A divisor of the devices. */
  readonly connections: number;
  readonly rounds: number;
  readonly roundMs: number;
  readonly warmUpMs: number;
  readonly cache: string;
  readonly progress: (line: string) => void;
};

/** One round. */
export type StreamsSample = {
  /** Number of readings that were acknowledged, each the only one of its stream. */
  readonly acknowledged: number;
  readonly acknowledgedPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** User and system time of the server process divided by wall time. */
  readonly cores: number;
  readonly cpuMicrosPerStream: number;
};

/** The results. */
export type StreamsResult = {
  readonly kind: "streams";
  readonly machine: MachineFacts;
  readonly load: LoadSpread;
  readonly devices: number;
  readonly connections: number;
  readonly roundMs: number;
  readonly samples: readonly StreamsSample[];
  readonly peakMemoryMib: number;
  readonly storedReadings: number;
};

/**
 * Lets many devices send a reading a second each, over a stream each, and measures the time to each acknowledgement and
 * the CPU of the server.
 * @throws Error if the server has not stored exactly the acknowledged readings.
 */
export async function runStreamsBench(settings: StreamsBenchSettings): Promise<StreamsResult> {
  const { devices, connections, rounds, roundMs, warmUpMs, cache, progress } = settings;
  await mkdir(cache, { recursive: true });
  const load = watchMachineLoad();
  await using resources = new AsyncDisposableStack();
  const folder = await mkdtemp(join(cache, "streams-"));
  resources.defer(() => rm(folder, { recursive: true, force: true }));
  const server = resources.use(await startIngestServer(folder));
  const streams = resources.use(
    await openDeviceStreams({
      port: server.port,
      devices,
      connections,
      startSeconds: Math.floor(Date.now() / 1000),
    }),
  );
  progress(`${devices.toLocaleString("en-US")} streams over ${connections} connections, warming up ...`);
  await delay(warmUpMs);
  await streams.takeLatencies();
  const samples: StreamsSample[] = [];
  for (let round = 1; round <= rounds; round++) {
    const [beforeMs, startMs] = [cpuMs(server.pid), performance.now()];
    await delay(roundMs);
    const latenciesMs = await streams.takeLatencies();
    const [usedMs, elapsedMs] = [cpuMs(server.pid) - beforeMs, performance.now() - startMs];
    const sample = {
      acknowledged: latenciesMs.length,
      acknowledgedPerSecond: (latenciesMs.length / elapsedMs) * 1000,
      p50Ms: percentile(latenciesMs, 0.5),
      p99Ms: percentile(latenciesMs, 0.99),
      cores: usedMs / elapsedMs,
      cpuMicrosPerStream: (usedMs * 1000) / latenciesMs.length,
    };
    samples.push(sample);
    progress(
      `round ${round} of ${rounds}: ${Math.round(sample.acknowledgedPerSecond).toLocaleString("en-US")} readings/s, ` +
        `p50 ${sample.p50Ms.toFixed(1)} ms, p99 ${sample.p99Ms.toFixed(1)} ms, ${sample.cores.toFixed(2)} cores`,
    );
  }
  const memoryMib = peakMemoryMib(server.pid);
  const { acknowledged, unanswered } = await streams.end();
  if (unanswered > 0) throw new Error(`${unanswered} readings were not answered within ten seconds`);
  const { storedReadings } = await storedExactly(server, acknowledged);
  return {
    kind: "streams",
    machine: machineFacts(Date.now()),
    load: load.stop(),
    devices,
    connections,
    roundMs,
    samples,
    peakMemoryMib: memoryMib,
    storedReadings,
  };
}
