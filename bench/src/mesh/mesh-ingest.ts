import type { TopicDefinition } from "@devicemesh/operator";
import { fastapiPython } from "../ingest/fastapi-environment.ts";
import { fastapiApp, startLoadOn } from "../ingest/ingest-peers.ts";
import { type LoadedPeer, loadInTurn } from "../load/load-rounds.ts";
import type { LoadSample } from "../load/load-sample.ts";
import { peakMemoryMib } from "../report/process-usage.ts";
import { startServerProcess } from "../servers/server-process.ts";
import type { BenchTopics } from "./kafka-bench-topics.ts";

/** The servers that are compared over the same broker. */
export const meshPeerNames = ["fastapi", "ours"] as const;
export type MeshPeerName = (typeof meshPeerNames)[number];

/** Frames of a commit unit of ours: 2000 readings. */
export const meshFramesPerUnit = 20;

/** The options of the rounds. */
export type MeshIngestSettings = {
  /** "ours" among them. */
  readonly peers: readonly MeshPeerName[];
  readonly rounds: number;
  /** Duration of the load on each peer in a round, in ms. */
  readonly roundMs: number;
  /** The same for the warm-up round. */
  readonly warmUpMs: number;
  readonly brokers: readonly string[];
  readonly topics: BenchTopics;
  /** The existing topic that ours appends to. */
  readonly topic: TopicDefinition;
  /** Our ingest, running. */
  readonly ingest: { readonly pid: number; readonly port: number };
  readonly cache: string;
  readonly progress: (line: string) => void;
  readonly signal: AbortSignal;
};

/** The results of one peer. */
export type MeshPeerResult = {
  readonly name: MeshPeerName;
  /** One for each round, in order. */
  readonly samples: readonly LoadSample[];
  readonly peakMemoryMib: number;
  /** Number of acknowledged readings, including the warm-up. */
  readonly acknowledged: number;
  /** Number of duplicate records in its topic. */
  readonly duplicates: number;
};

type Peer = LoadedPeer & {
  readonly name: MeshPeerName;
  readonly topic: string;
};

/**
 * Loads the peers in turn, round after round, against topics of the same settings on the same broker.
 * @throws Error if a topic does not contain exactly the acknowledged readings, each at least once.
 */
export async function measureMeshIngest(settings: MeshIngestSettings): Promise<readonly MeshPeerResult[]> {
  const { topics, topic, ingest } = settings;
  await using running = new AsyncDisposableStack();
  const peers: Peer[] = [];
  for (const name of settings.peers) {
    const own = name === "ours" ? topic.topic : `${topic.topic}.peer`;
    const { pid, port } = name === "ours" ? ingest : await startFastapi(running, settings, own);
    const load = await startLoadOn(name, port, meshFramesPerUnit);
    running.defer(() => load.close());
    peers.push({ name, pid, load, topic: own, samples: [], acknowledged: 0 });
  }
  await loadInTurn(peers, settings);
  const results: MeshPeerResult[] = [];
  for (const { name, pid, samples, acknowledged, topic: own } of peers) {
    const duplicates = await duplicatesIn(topics, own, acknowledged);
    results.push({ name, samples, peakMemoryMib: peakMemoryMib(pid), acknowledged, duplicates });
  }
  return results;
}

async function startFastapi(
  running: AsyncDisposableStack,
  { brokers, topics, topic, cache, progress }: MeshIngestSettings,
  own: string,
): Promise<{ readonly pid: number; readonly port: number }> {
  await topics.create([{ ...topic, topic: own }]);
  const args = [fastapiApp, "--brokers", brokers.join(","), "--topic", own];
  return running.use(await startServerProcess({ command: await fastapiPython(cache, progress), args }));
}

/**
 * Returns the number of duplicate records in a topic: a sender without an acknowledgement sends again. Records are read
 * only then.
 * @throws Error if the topic does not have exactly the acknowledged readings.
 */
async function duplicatesIn(
  topics: Pick<BenchTopics, "countRecords" | "countKeys">,
  topic: string,
  acknowledged: number,
): Promise<number> {
  const records = await topics.countRecords(topic);
  if (records === acknowledged) return 0;
  const readings = records < acknowledged ? records : await topics.countKeys(topic);
  if (readings !== acknowledged) {
    throw new Error(`${acknowledged} readings were acknowledged, but ${topic} has ${readings}`);
  }
  return records - readings;
}
