import { rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { startEngines } from "@devicemesh/engines";
import { type TopicDefinition, topicDefinitions } from "@devicemesh/operator";
import { meshDefinition } from "@devicemesh/operator/testing/prepare-mesh";
import { fastapiPython } from "../ingest/fastapi-environment.ts";
import { fastapiApp, startLoadOn } from "../ingest/ingest-peers.ts";
import { type LoadedPeer, loadInTurn } from "../load/load-rounds.ts";
import type { LoadSample } from "../load/load-sample.ts";
import { type BenchTopics, openBenchTopics } from "../mesh/kafka-bench-topics.ts";
import { type LoadSpread, watchMachineLoad } from "../report/load-watch.ts";
import { type MachineFacts, machineFacts } from "../report/machine.ts";
import { peakMemoryMib } from "../report/process-usage.ts";
import { type ServerProcess, startServerProcess } from "../servers/server-process.ts";
import { plainUnits } from "./kafka-plain-producer.ts";
import { ingestUnits, measureUnitLatency, type UnitSender } from "./unit-latency.ts";

/** What is compared over one broker. */
export const kafkaPeerNames = ["fastapi", "kafkajs", "ours"] as const;
export type KafkaPeerName = (typeof kafkaPeerNames)[number];

/** How to run it. */
export type KafkaBenchSettings = {
  /** "ours" among them. */
  readonly peers: readonly KafkaPeerName[];
  readonly rounds: number;
  /** How long each peer is loaded in a round, in ms. */
  readonly roundMs: number;
  /** The same for the round that is not counted. */
  readonly warmUpMs: number;
  readonly latencyMs: number;
  readonly cache: string;
  readonly progress: (line: string) => void;
  readonly signal: AbortSignal;
};

/** What was found of one peer. */
export type KafkaPeerResult = {
  readonly name: KafkaPeerName;
  /** One for each round, in order. */
  readonly samples: readonly LoadSample[];
  readonly peakMemoryMib: number;
  readonly acknowledged: number;
};

/** What it found. */
export type KafkaResult = {
  readonly kind: "kafka";
  readonly machine: MachineFacts;
  readonly load: LoadSpread;
  readonly roundMs: number;
  readonly partitions: number;
  readonly peers: readonly KafkaPeerResult[];
  /** Times of units at `latencyReadingsPerSecond`, in ms. */
  readonly latency: UnitLatency;
};

/** Times of units through ingest, and of those that a plain producer sends to the same broker, alternately. */
export type UnitLatency = { readonly oursMs: readonly number[]; readonly plainMs: readonly number[] };

/** The rate at which the time of a unit is measured. */
export const latencyReadingsPerSecond = 50_000;

/** Ingest and the plain producer are measured one after the other, so many times. */
const latencyRounds = 4;

/** Partitions of the topics, as `npm run mesh` makes them. */
const partitions = 4;

type Peer = LoadedPeer & {
  readonly name: KafkaPeerName;
  readonly topic: string;
  readonly server: ServerProcess;
};

/**
 * Loads each peer in turn, round after round, against topics of the same settings on one broker of its own.
 * @throws Error if a topic has fewer records than readings were acknowledged or, of ours, any other number.
 */
export async function runKafkaBench(settings: KafkaBenchSettings): Promise<KafkaResult> {
  const { cache, progress, roundMs, signal } = settings;
  const machineLoad = watchMachineLoad();
  const folder = join(cache, "kafka");
  await using stack = new AsyncDisposableStack();
  const { addresses } = stack.use(
    await startEngines({
      folder,
      fresh: true,
      parts: ["kafka"],
      signal,
      onProgress: ({ text }) => progress(text),
    }),
  );
  const topics = stack.use(await openBenchTopics(addresses.kafkaBrokers));
  const definition = meshDefinition({ ...addresses, prefix: "bench-", database: "bench", partitions });
  const [messages] = topicDefinitions(definition);
  if (!messages) throw new Error("a mesh without topics");
  const peers: Peer[] = [];
  for (const name of settings.peers) {
    const peer = await startPeer(name, {
      settings,
      topics,
      messages,
      brokers: addresses.kafkaBrokers.join(","),
    });
    stack.use(peer.server);
    stack.defer(() => peer.load.close());
    peers.push(peer);
  }
  await loadInTurn(peers, settings);
  for (const peer of peers) await checkRecords(topics, peer);
  const ours = peers.find(({ name }) => name === "ours");
  if (!ours) throw new RangeError("ours must be among the peers");
  const plain = `${messages.topic}.plain`;
  await topics.create([{ ...messages, topic: plain }]);
  const latency = await measureLatency(settings, {
    port: ours.server.port,
    brokers: addresses.kafkaBrokers,
    topic: plain,
  });
  const results = peers.map(({ name, samples, acknowledged, server }) => {
    return { name, samples, acknowledged, peakMemoryMib: peakMemoryMib(server.pid) };
  });
  await stack.disposeAsync();
  rmSync(folder, { recursive: true, force: true });
  const machine = machineFacts(Date.now());
  return { kind: "kafka", machine, load: machineLoad.stop(), roundMs, partitions, peers: results, latency };
}

async function startPeer(
  name: KafkaPeerName,
  options: {
    readonly settings: KafkaBenchSettings;
    readonly topics: BenchTopics;
    readonly messages: TopicDefinition;
    readonly brokers: string;
  },
): Promise<Peer> {
  const { settings, topics, messages, brokers } = options;
  const topic = `${messages.topic}.${name}`;
  await topics.create([{ ...messages, topic }]);
  const program = fileURLToPath(new URL("../servers/kafka-ingest-server.ts", import.meta.url));
  const server = await startServerProcess(
    name === "fastapi"
      ? {
          command: await fastapiPython(settings.cache, settings.progress),
          args: [fastapiApp, "--brokers", brokers, "--topic", topic],
        }
      : { command: process.execPath, args: [program, name, brokers, topic, String(partitions)] },
  );
  const load = await startLoadOn(name === "fastapi" ? "fastapi" : "ours", server.port);
  return { name, topic, server, pid: server.pid, load, samples: [], acknowledged: 0 };
}

async function measureLatency(
  { latencyMs, warmUpMs }: KafkaBenchSettings,
  to: { readonly port: number; readonly brokers: readonly string[]; readonly topic: string },
): Promise<UnitLatency> {
  await using ours = ingestUnits(to.port, Math.floor(Date.now() / 1000) - 30 * 86_400);
  await using plain = plainUnits({ ...to, partitions });
  const measure = (sender: UnitSender, ms: number) =>
    measureUnitLatency(sender, { readingsPerSecond: latencyReadingsPerSecond, ms });
  const oursMs: number[] = [];
  const plainMs: number[] = [];
  for (const sender of [ours, plain]) await measure(sender, warmUpMs);
  for (let round = 0; round < latencyRounds; round++) {
    oursMs.push(...(await measure(ours, latencyMs / latencyRounds)));
    plainMs.push(...(await measure(plain, latencyMs / latencyRounds)));
  }
  return { oursMs, plainMs };
}

async function checkRecords(topics: BenchTopics, { name, topic, acknowledged }: Peer): Promise<void> {
  const records = await topics.countRecords(topic);
  const isExact = name === "ours" ? records === acknowledged : records >= acknowledged;
  if (!isExact)
    throw new Error(`${acknowledged} readings were acknowledged, but ${topic} has ${records} records`);
}
