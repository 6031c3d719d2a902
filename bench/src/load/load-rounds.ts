import type { Load } from "./load-process.ts";
import { type LoadSample, sampleLoad } from "./load-sample.ts";

/** A server that is loaded in turn with others. */
export type LoadedPeer = {
  readonly name: string;
  readonly pid: number;
  readonly load: Load;
  /** One for each round, in order. */
  readonly samples: LoadSample[];
  /** Number of acknowledged readings, including the warm-up. */
  acknowledged: number;
};

/** Loads the peers one after the other, round after round; a warm-up round before is not sampled. */
export async function loadInTurn(
  peers: readonly LoadedPeer[],
  settings: {
    readonly rounds: number;
    /** Duration of the load on each peer in a round, in ms. */
    readonly roundMs: number;
    /** The same for the warm-up round. */
    readonly warmUpMs: number;
    readonly progress: (line: string) => void;
    readonly signal: AbortSignal;
  },
): Promise<void> {
  const { rounds, roundMs, warmUpMs, progress, signal } = settings;
  progress("warming up ...");
  for (const peer of peers) await loadOnce(peer, warmUpMs);
  for (let round = 1; round <= rounds; round++) {
    for (const peer of peers) {
      signal.throwIfAborted();
      const sample = await loadOnce(peer, roundMs);
      peer.samples.push(sample);
      progress(
        `round ${round} of ${rounds}, ${peer.name}: ${sample.cpuMicrosPerReading.toPrecision(3)} µs CPU a reading, ` +
          `${Math.round(sample.readingsPerSecond).toLocaleString("en-US")} readings/s, ${sample.cores.toFixed(2)} cores`,
      );
    }
  }
}

async function loadOnce(peer: LoadedPeer, ms: number): Promise<LoadSample> {
  const sample = await sampleLoad({ pid: peer.pid, load: peer.load, ms });
  peer.acknowledged += sample.readings;
  return sample;
}
