import { type LoadSample, sampleLoad } from "../load/load-sample.ts";
import { type MachineFacts, machineFacts } from "../report/machine.ts";
import { cpuMs, peakMemoryMib } from "../report/process-usage.ts";
import {
  type OursStored,
  ownNames,
  type Peer,
  type PeerName,
  startPeer,
  storedExactly,
} from "./ingest-peers.ts";

/** The options of a run. */
export type IngestBenchSettings = {
  /** "ours" among them. */
  readonly peers: readonly PeerName[];
  readonly rounds: number;
  /** Duration of the load on each peer in a round, in ms. */
  readonly roundMs: number;
  /** The same for the warm-up round. */
  readonly warmUpMs: number;
  /** Whether each round waits until ours has folded everything (up to a segment, 10 s by default). */
  readonly settle: boolean;
  readonly cache: string;
  /** An empty folder for stored data; the caller removes it. */
  readonly folder: string;
  readonly progress: (line: string) => void;
};

/** One peer in one round. For ours, the CPU time includes folding during the load. */
export type IngestSample = LoadSample & {
  /** CPU time per reading, for ours including all maintenance until it was folded into windows. */
  readonly foldedCpuMicrosPerReading: number;
};

/** The results. */
export type IngestResult = {
  readonly kind: "ingest";
  readonly machine: MachineFacts;
  readonly roundMs: number;
  readonly peers: readonly {
    readonly name: PeerName;
    /** One for each round, in order. */
    readonly samples: readonly IngestSample[];
    readonly peakMemoryMib: number;
  }[];
  /** The stored counts that ours reports after the last round. */
  readonly stored: OursStored;
};

/**
 * Loads the peers in turn, round after round, and measures the CPU time of each server process per acknowledged
 * reading.
 * @throws Error if ours has not stored exactly the acknowledged readings.
 */
export async function runIngestBench(settings: IngestBenchSettings): Promise<IngestResult> {
  const { progress, rounds, roundMs, warmUpMs } = settings;
  await using running = new AsyncDisposableStack();
  const meters = [];
  for (const name of settings.peers) {
    const peer = running.use(await startPeer(name, settings));
    meters.push({ name, peer, meter: createMeter(peer, settings.settle), samples: [] as IngestSample[] });
  }
  progress("warming up ...");
  for (const { meter } of meters) await meter(warmUpMs);
  for (let round = 1; round <= rounds; round++) {
    for (const { name, meter, samples } of meters) {
      const sample = await meter(roundMs);
      samples.push(sample);
      progress(
        `round ${round} of ${rounds}, ${name}: ${sample.cpuMicrosPerReading.toPrecision(3)} µs CPU a reading ` +
          `(${sample.foldedCpuMicrosPerReading.toPrecision(3)} until folded), ` +
          `${Math.round(sample.readingsPerSecond).toLocaleString("en-US")} readings/s, ${sample.cores.toFixed(2)} cores`,
      );
    }
  }
  const peers = meters.map(({ name, peer, samples }) => ({
    name,
    samples,
    peakMemoryMib: peakMemoryMib(peer.server.pid),
  }));
  let stored: OursStored | undefined;
  for (const { name, peer, meter } of meters.filter(({ name }) => ownNames.includes(name))) {
    peer.load.close();
    const storedByOne = await storedExactly(peer.server, meter.acknowledged());
    if (name === "ours") stored = storedByOne;
  }
  if (!stored) throw new RangeError("ours must be among the peers");
  return { kind: "ingest", machine: machineFacts(Date.now()), roundMs, peers, stored };
}

type Meter = ((ms: number) => Promise<IngestSample>) & { acknowledged(): number };

/**
 * Measures a peer's rounds. For ours, the CPU time of a round begins at the end of the previous one, so that
 * maintenance between rounds is included; for the others it begins with the load, so that idle time costs them nothing.
 */
function createMeter({ name, server, load }: Peer, settle: boolean): Meter {
  let chargedMs = cpuMs(server.pid);
  let acknowledged = 0;
  async function measure(ms: number): Promise<IngestSample> {
    const beforeMs = cpuMs(server.pid);
    const sample = await sampleLoad({ pid: server.pid, load, ms });
    if (settle) await server.settle();
    const endMs = cpuMs(server.pid);
    const usedMs = endMs - (ownNames.includes(name) ? chargedMs : beforeMs);
    chargedMs = endMs;
    acknowledged += sample.readings;
    return { ...sample, foldedCpuMicrosPerReading: (usedMs * 1000) / sample.readings };
  }
  return Object.assign(measure, { acknowledged: () => acknowledged });
}
