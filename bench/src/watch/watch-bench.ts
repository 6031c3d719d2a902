import { rmSync } from "node:fs";
import { mkdir, mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { create, toBinary } from "@bufbuild/protobuf";
import { type Client, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { protoTimestamp } from "@devicemesh/proto";
import { GroupBy } from "@devicemesh/proto/es/devicemesh/v1/aggregate_pb.ts";
import {
  QueryService,
  WatchAggregatesRequestSchema,
} from "@devicemesh/proto/es/devicemesh/v1/query_service_pb.ts";
import { createRandom } from "../load/fleet.ts";
import { openWatchers } from "../load/watchers.ts";
import { pollUntil } from "../mesh/poll-until.ts";
import { type LoadSpread, watchMachineLoad } from "../report/load-watch.ts";
import { type MachineFacts, machineFacts } from "../report/machine.ts";
import { cpuMs, peakMemoryMib } from "../report/process-usage.ts";
import { startWatchServer } from "../servers/start-watch-server.ts";

/** The options of a run. */
export type WatchBenchSettings = {
  readonly watchers: number;
  readonly questions: number;
  readonly rounds: number;
  /** How long callers query without watchers, and then with them, in a round. */
  readonly roundMs: number;
  readonly cache: string;
  readonly progress: (line: string) => void;
};

/** One round: first without watchers, then with them. Times in ms. */
export type WatchRound = {
  /** The latencies of answers to other callers. */
  readonly aloneMs: readonly number[];
  readonly besideMs: readonly number[];
  /** The delay of the first message of each watcher. */
  readonly firstMs: readonly number[];
  /** The longest time of each watcher without a message. */
  readonly longestGapsMs: readonly number[];
  /** Messages of each watcher in a second. */
  readonly messagesPerSecond: readonly number[];
  /** CPU time of the server divided by wall time, without and with watchers. */
  readonly coresAlone: number;
  readonly coresBeside: number;
};

/** The results. */
export type WatchResult = {
  readonly kind: "watch";
  readonly machine: MachineFacts;
  readonly load: LoadSpread;
  readonly watchers: number;
  readonly questions: number;
  readonly devices: number;
  readonly roundMs: number;
  readonly peakMemoryMib: number;
  readonly rounds: readonly WatchRound[];
};

type QueryClient = Client<typeof QueryService>;

/** Number of devices of the generator for each query; each sends a reading a second. */
const devicesPerQuestion = 2;
/** Time before counting begins, in ms: the first messages are sent, and the watchers are in step. */
const settleMs = 1000;

/** Queries the single process without and with many watchers in turn, and counts the watchers' messages. */
export async function runWatchBench(settings: WatchBenchSettings): Promise<WatchResult> {
  const { watchers, questions, rounds, roundMs, cache, progress } = settings;
  const devices = questions * devicesPerQuestion;
  const load = watchMachineLoad();
  await mkdir(cache, { recursive: true });
  const folder = await mkdtemp(join(cache, "watch-"));
  try {
    await using server = await startWatchServer(folder, devices);
    const client = createClient(
      QueryService,
      createGrpcTransport({ baseUrl: `http://127.0.0.1:${server.port}` }),
    );
    const requests = await questionsOf(client, { devices, questions });
    progress("warming up ...");
    await askFor(client, roundMs);
    const done: WatchRound[] = [];
    for (let round = 1; round <= rounds; round++) {
      const alone = await measured(server.pid, () => askFor(client, roundMs));
      await using watching = await openWatchers({ port: server.port, watchers, questions: requests });
      await delay(settleMs);
      const beside = await measured(server.pid, () =>
        Promise.all([askFor(client, roundMs), watching.sample(roundMs)]),
      );
      const [besideMs, { messages, longestGapsMs }] = beside.result;
      done.push({
        aloneMs: alone.result,
        besideMs,
        firstMs: watching.firstMs,
        longestGapsMs,
        messagesPerSecond: messages.map((count) => (count * 1000) / roundMs),
        coresAlone: alone.cores,
        coresBeside: beside.cores,
      });
      progress(
        `round ${round} of ${rounds}: ${alone.result.length} answers without watchers, ${besideMs.length} with`,
      );
    }
    return {
      kind: "watch",
      machine: machineFacts(Date.now()),
      load: load.stop(),
      watchers,
      questions,
      devices,
      roundMs,
      peakMemoryMib: peakMemoryMib(server.pid),
      rounds: done,
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Different requests, each about devices that send. */
async function questionsOf(
  client: QueryClient,
  { devices, questions }: { readonly devices: number; readonly questions: number },
): Promise<string[]> {
  const ids = new Set<string>();
  await pollUntil({
    what: "all devices of the generator have sent",
    limitMs: 30_000,
    everyMs: 200,
    signal: new AbortController().signal,
    poll: async () => {
      const { series } = await client.listSeries({ pageSize: 1000 });
      for (const { deviceId } of series) ids.add(deviceId);
      return ids.size >= devices || undefined;
    },
  });
  // By the number at the end of the id, which is the order in which the generator's devices send.
  const sorted = [...ids].sort((a, b) => Number(a.slice(-4)) - Number(b.slice(-4)));
  return Array.from({ length: questions }, (_, place) => {
    // The generator spreads its devices over the second in this order: those of a question are far apart, so that
    // its answer changes more often than once a second.
    const deviceIds = sorted.filter((_, device) => device % questions === place);
    const request = create(WatchAggregatesRequestSchema, { deviceIds, lastBuckets: 30 });
    return Buffer.from(toBinary(WatchAggregatesRequestSchema, request)).toString("base64");
  });
}

/** Sends one query after the other for this time, with random bounds. Resolves to their latencies, in ms. */
async function askFor(client: QueryClient, ms: number): Promise<number[]> {
  const random = createRandom(7);
  const tookMs: number[] = [];
  for (const endMs = performance.now() + ms; performance.now() < endMs; ) {
    const since = protoTimestamp(Date.now() - Math.floor(60_000 * random()));
    const beginMs = performance.now();
    await client.getAggregates({ groupBy: GroupBy.SENSOR, since });
    tookMs.push(performance.now() - beginMs);
  }
  return tookMs;
}

async function measured<T>(
  pid: number,
  act: () => Promise<T>,
): Promise<{ readonly result: T; readonly cores: number }> {
  const [usedMs, beginMs] = [cpuMs(pid), performance.now()];
  const result = await act();
  return { result, cores: (cpuMs(pid) - usedMs) / (performance.now() - beginMs) };
}
