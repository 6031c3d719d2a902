import { rmSync } from "node:fs";
import { join } from "node:path";
import { type EngineAddresses, installEngines } from "@devicemesh/engines";
import { type TopicDefinition, topicDefinitions } from "@devicemesh/operator";
import { meshDefinition } from "@devicemesh/operator/testing/prepare-mesh";
import { chainNames } from "@devicemesh/pipeline";
import { type LoadSpread, watchMachineLoad } from "../report/load-watch.ts";
import { type MachineFacts, machineFacts } from "../report/machine.ts";
import { startBenchEngines } from "./bench-engines.ts";
import { type BenchServices, createBenchServices, databaseOf } from "./bench-services.ts";
import { type BenchTopics, openBenchTopics } from "./kafka-bench-topics.ts";
import { type MeshChainResult, type MeshChainSettings, measureMeshChain } from "./mesh-chain.ts";
import { type MeshPeerName, type MeshPeerResult, measureMeshIngest } from "./mesh-ingest.ts";
import { openBenchStore } from "./mongo-bench-store.ts";

/** The options of a run. */
export type MeshBenchSettings = {
  /** "ours" among them. */
  readonly peers: readonly MeshPeerName[];
  readonly rounds: number;
  /** Duration of the load on each peer in a round, in ms. */
  readonly roundMs: number;
  /** The same for the warm-up round. */
  readonly warmUpMs: number;
  readonly chain: MeshChainSettings;
  readonly cache: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly progress: (line: string) => void;
  /** Cancels the run and stops everything that was started. */
  readonly signal: AbortSignal;
};

/** The results. */
export type MeshResult = {
  readonly kind: "mesh";
  readonly machine: MachineFacts;
  readonly load: LoadSpread;
  readonly roundMs: number;
  readonly partitions: number;
  readonly peers: readonly MeshPeerResult[];
  readonly chain: MeshChainResult;
  /** The program that served MongoDB's protocol. */
  readonly database: "mongod" | "stand-in";
};

/** Partitions of the topics, like in `npm run mesh`. */
const partitions = 4;

/**
 * Measures ingest over a real broker beside its peer, then the pipeline behind it, with separate engines on one
 * machine. Its folder in the cache is emptied before, and removed after a successful run.
 * @throws Error if an acknowledged reading is missing, or a step takes too long.
 */
export async function runMeshBench(settings: MeshBenchSettings): Promise<MeshResult> {
  const { cache, progress, signal } = settings;
  const machineLoad = watchMachineLoad();
  const folder = join(cache, "mesh");
  const installed = await installEngines({ report: progress });
  progress("starting Kafka, Kafka Connect, MongoDB and Spark ...");
  await using stack = new AsyncDisposableStack();
  const engines = stack.use(
    await startBenchEngines({
      folder,
      signal,
      onProgress: ({ engine, text, ready }) => {
        if (ready) progress(`${engine} ${text}`);
      },
    }),
  );
  const { addresses } = engines;
  const topics = stack.use(await openBenchTopics(addresses.kafkaBrokers));
  const peers = await measureIngest(settings, { addresses, topics, folder });
  const chain = await measureChain(settings, { addresses, topics, folder });
  await stack.disposeAsync();
  rmSync(folder, { recursive: true, force: true });
  return {
    kind: "mesh",
    machine: machineFacts(Date.now()),
    load: machineLoad.stop(),
    roundMs: settings.roundMs,
    partitions,
    peers,
    chain,
    database: installed.mongo().kind,
  };
}

/** The environment of both parts. */
type Ground = {
  readonly addresses: EngineAddresses;
  readonly topics: BenchTopics;
  readonly folder: string;
};

/** The rounds with the peer, on a mesh of ingest alone: neither sink nor window job uses the machine. */
async function measureIngest(
  settings: MeshBenchSettings,
  ground: Ground,
): Promise<readonly MeshPeerResult[]> {
  const { addresses, topics } = ground;
  await using services = servicesOf(settings, ground, "bench-ingest-");
  const [topic] = topicsOf(addresses, "bench-ingest-");
  if (!topic) throw new Error("a mesh without topics");
  await topics.create([topic]);
  const ingest = await services.start("ingest");
  return await measureMeshIngest({
    ...settings,
    brokers: addresses.kafkaBrokers,
    topics,
    topic,
    ingest,
    signal: services.signal,
  });
}

async function measureChain(settings: MeshBenchSettings, ground: Ground): Promise<MeshChainResult> {
  const { addresses, topics } = ground;
  await using services = servicesOf(settings, ground, "bench-chain-");
  // Without the retention topic, which the operator creates later, ingest accepts readings before the operator runs.
  const { retention } = chainNames({ prefix: "bench-chain-" }).topics;
  await topics.create(topicsOf(addresses, "bench-chain-").filter(({ topic }) => topic !== retention));
  await using store = openBenchStore({ url: addresses.mongodbUrl, database: services.database });
  return await measureMeshChain(settings.chain, { services, store, progress: settings.progress });
}

function servicesOf(
  { chain, env, signal }: MeshBenchSettings,
  { addresses, folder }: Ground,
  prefix: string,
): BenchServices {
  return createBenchServices({
    engines: addresses,
    prefix,
    folder,
    partitions,
    devices: chain.liveDevices,
    env,
    signal,
  });
}

function topicsOf(addresses: EngineAddresses, prefix: string): readonly TopicDefinition[] {
  return topicDefinitions(meshDefinition({ ...addresses, prefix, database: databaseOf(prefix), partitions }));
}
