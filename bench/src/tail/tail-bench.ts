import { rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { type Client, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { installEngines, startEngines } from "@devicemesh/engines";
import { alignDown, protoTimestamp } from "@devicemesh/proto";
import { GroupBy } from "@devicemesh/proto/es/devicemesh/v1/aggregate_pb.ts";
import { QueryService } from "@devicemesh/proto/es/devicemesh/v1/query_service_pb.ts";
import { createRandom } from "../load/fleet.ts";
import { type LoadSpread, watchMachineLoad } from "../report/load-watch.ts";
import { type MachineFacts, machineFacts } from "../report/machine.ts";
import { peakMemoryMib } from "../report/process-usage.ts";
import { startServerProcess } from "../servers/server-process.ts";
import { createTailDatabase, type TailDatabase } from "./mongo-tail-database.ts";
import { createTailFleet, type TailFleet } from "./tail-fleet.ts";

/** The options of a run. */
export type TailBenchSettings = {
  /** Devices with one reading a second each. */
  readonly devices: number;
  /** How long the frontier has not moved when query starts, in s. */
  readonly tailSeconds: number;
  /** How long queries are sent, in ms. */
  readonly liveMs: number;
  readonly cache: string;
  readonly progress: (line: string) => void;
  readonly signal: AbortSignal;
};

/** The results. */
export type TailResult = {
  readonly kind: "tail";
  readonly machine: MachineFacts;
  readonly load: LoadSpread;
  readonly database: "mongod" | "stand-in";
  readonly devices: number;
  readonly tailSeconds: number;
  /** The answers over all of the tail from the start of query on, until one took at most a second, in ms. */
  readonly startingMs: readonly number[];
  /** The answers over any part of the tail after that, in ms. */
  readonly latenciesMs: readonly number[];
  /** Readings behind the frontier at the end. */
  readonly readings: number;
  readonly peakMemoryMib: number;
};

/** Where an answer is as fast as it should be, in ms: query has folded the tail. */
const foldedMs = 1000;

/** After so many slow answers the bench gives up waiting for a faster one. */
const startingMax = 50;

type QueryClient = Client<typeof QueryService>;

/**
 * Starts query over a database whose frontier stopped minutes ago, and sends it queries over any part of what has
 * arrived since, while readings keep arriving and the frontier stays where it is.
 * @throws Error if an answer does not count exactly the readings of its timeframe.
 */
export async function runTailBench(settings: TailBenchSettings): Promise<TailResult> {
  const { devices, tailSeconds, progress, signal } = settings;
  const machineLoad = watchMachineLoad();
  const folder = join(settings.cache, "tail");
  const installed = await installEngines({ report: progress });
  await using stack = new AsyncDisposableStack();
  const engines = stack.use(await startEngines({ folder, fresh: true, parts: ["mongo"], signal }));
  const { mongodbUrl: url } = engines.addresses;
  const fleet = createTailFleet(devices, alignDown(Date.now(), 600_000) - tailSeconds * 1000);
  const database = stack.use(await createTailDatabase({ url, database: "bench_tail", fleet }));
  for (let second = 0; second < tailSeconds; second++) {
    signal.throwIfAborted();
    await database.insert(second);
    if (second % 60 === 59) progress(`${((second + 1) * devices).toLocaleString("en-US")} readings stored`);
  }
  const live = createLive({ fleet, database, firstSecond: tailSeconds });
  await live.insertNext();
  const server = stack.use(
    await startServerProcess({
      command: process.execPath,
      args: [fileURLToPath(new URL("../servers/mongo-query-server.ts", import.meta.url)), url, "bench_tail"],
    }),
  );
  const client = createClient(
    QueryService,
    createGrpcTransport({ baseUrl: `http://127.0.0.1:${server.port}` }),
  );
  const arriving = new AbortController();
  const inserting = live.run(arriving.signal);
  const startingMs = await askUntilFolded(client, live, fleet);
  progress(
    `the first answer took ${Math.round(startingMs[0] as number)} ms, the ${startingMs.length}. less than a second`,
  );
  const latenciesMs = await askAny(client, { ...settings, fleet, live });
  arriving.abort();
  await inserting;
  const result: TailResult = {
    kind: "tail",
    machine: machineFacts(Date.now()),
    load: machineLoad.stop(),
    database: installed.mongo().kind,
    devices,
    tailSeconds,
    startingMs,
    latenciesMs,
    readings: live.seconds * devices,
    peakMemoryMib: peakMemoryMib(server.pid),
  };
  await stack.disposeAsync();
  rmSync(folder, { recursive: true, force: true });
  return result;
}

/** Readings that arrive second by second. */
function createLive(options: {
  readonly fleet: TailFleet;
  readonly database: TailDatabase;
  readonly firstSecond: number;
}) {
  const { fleet, database } = options;
  let second = options.firstSecond;
  async function insertNext(): Promise<void> {
    await database.insert(second);
    second++;
    await database.publish(fleet.frontierMs + second * 1000);
  }
  return {
    /** Number of stored seconds. */
    get seconds() {
      return second;
    },
    insertNext,
    async run(signal: AbortSignal): Promise<void> {
      const begunMs = performance.now();
      for (let count = 1; !signal.aborted; count++) {
        await insertNext();
        const leftMs = begunMs + count * 1000 - performance.now();
        await delay(Math.max(leftMs, 0), undefined, { signal }).catch(() => {});
      }
    },
  };
}

type Live = ReturnType<typeof createLive>;

async function askUntilFolded(client: QueryClient, live: Live, fleet: TailFleet): Promise<readonly number[]> {
  const times: number[] = [];
  do {
    const toMs = fleet.frontierMs + live.seconds * 1000;
    times.push(await askTimed(client, { fleet, sinceMs: fleet.frontierMs, toMs }));
  } while ((times.at(-1) as number) > foldedMs && times.length < startingMax);
  return times;
}

async function askAny(
  client: QueryClient,
  options: {
    readonly liveMs: number;
    readonly fleet: TailFleet;
    readonly live: Live;
    readonly signal: AbortSignal;
  },
): Promise<readonly number[]> {
  const { liveMs, fleet, live, signal } = options;
  const random = createRandom(5);
  const times: number[] = [];
  const endMs = performance.now() + liveMs;
  while (performance.now() < endMs) {
    signal.throwIfAborted();
    const allMs = live.seconds * 1000;
    const lengthMs = Math.floor(1000 * (allMs / 1000) ** random());
    const sinceMs = fleet.frontierMs + Math.floor(random() * (allMs - lengthMs));
    times.push(await askTimed(client, { fleet, sinceMs, toMs: sinceMs + lengthMs }));
  }
  return times;
}

/** Sends a query over all devices; returns the elapsed ms. */
async function askTimed(
  client: QueryClient,
  { fleet, sinceMs, toMs }: { readonly fleet: TailFleet; readonly sinceMs: number; readonly toMs: number },
): Promise<number> {
  const bounds = { since: protoTimestamp(sinceMs), to: protoTimestamp(toMs) };
  const startMs = performance.now();
  const { rows } = await client.getAggregates({ ...bounds, groupBy: GroupBy.SENSOR }, { timeoutMs: 300_000 });
  const elapsedMs = performance.now() - startMs;
  const count = Number(rows[0]?.count ?? 0n);
  const expected = fleet.countIn(sinceMs, toMs);
  if (count !== expected) throw new Error(`${expected} readings are stored, but the answer counts ${count}`);
  return elapsedMs;
}
