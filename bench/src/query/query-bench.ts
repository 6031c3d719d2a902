import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Client, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { sensors } from "@devicemesh/proto";
import { GroupBy } from "@devicemesh/proto/es/devicemesh/v1/aggregate_pb.ts";
import { QueryService } from "@devicemesh/proto/es/devicemesh/v1/query_service_pb.ts";
import { Health } from "@devicemesh/proto/es/grpc/health/v1/health_pb.ts";
import { storeFileName } from "@devicemesh/store-duckdb/database/duckdb-database";
import { createRandom } from "../load/fleet.ts";
import { type LoadSpread, watchMachineLoad } from "../report/load-watch.ts";
import { type MachineFacts, machineFacts } from "../report/machine.ts";
import { peakMemoryMib } from "../report/process-usage.ts";
import { startServerProcess } from "../servers/server-process.ts";
import { startFlags } from "../servers/start-flags.ts";
import { askTimed } from "./ask-timed.ts";
import { type Burst, runBurst } from "./concurrent-clients.ts";
import { openRawScan } from "./duckdb-scan.ts";
import { type AskedKind, askedKinds, createQuestions } from "./query-questions.ts";
import { prepareQueryStore, stored, storedSeries, storedThroughMs } from "./query-store.ts";

/** The options of a run. */
export type QueryBenchSettings = {
  readonly readings: number;
  readonly rounds: number;
  /** Number of queries of each kind in a round. */
  readonly questionsPerRound: number;
  readonly cache: string;
  readonly progress: (line: string) => void;
};

/** The results. */
export type QueryResult = {
  readonly kind: "query";
  readonly machine: MachineFacts;
  readonly readings: number;
  readonly series: number;
  readonly questionsPerRound: number;
  readonly peakMemoryMib: number;
  readonly versions: Readonly<Record<string, string>>;
  readonly load: LoadSpread;
  /** The latencies of each kind in ms: a list for each round, in order. */
  readonly latenciesMs: Readonly<Record<AskedKind, readonly (readonly number[])[]>>;
  /** DuckDB scanning all raw readings, in ms: the same. */
  readonly scansMs: readonly (readonly number[])[];
  /** Many clients at once: one burst for each round. */
  readonly bursts: readonly Burst[];
};

type QueryClient = Client<typeof QueryService>;

/** Number of scans of the raw readings in a round: each takes as long as hundreds of answers. */
const scansPerRound = 3;

/** Number of questions of a burst, for each question of a kind in a round. */
const burstShare = 10;

/**
 * Sends in each round queries of all kinds, shuffled, one at a time, through gRPC on loopback, and measures their
 * latencies; then DuckDB scans the raw readings, and many clients send queries at once.
 */
export async function runQueryBench(settings: QueryBenchSettings): Promise<QueryResult> {
  const { rounds, questionsPerRound, progress } = settings;
  const folder = await prepareQueryStore(settings);
  await using server = await startServerProcess({
    command: process.execPath,
    args: [...startFlags, fileURLToPath(new URL("../servers/query-server.ts", import.meta.url)), folder],
  });
  const transport = createGrpcTransport({ baseUrl: `http://127.0.0.1:${server.port}` });
  const client = createClient(QueryService, transport);
  const health = createClient(Health, transport);
  const readings = Math.ceil(settings.readings / storedSeries) * storedSeries;
  await expectReadings(client, readings);
  const random = createRandom(7);
  const throughMs = storedThroughMs(readings);
  const question = createQuestions({ throughMs, random });
  await using scan = await openRawScan({
    file: join(folder, storeFileName),
    cache: settings.cache,
    rows: sensors.length,
  });
  const latenciesMs = Object.fromEntries(askedKinds.map((kind) => [kind, [] as number[][]])) as Record<
    AskedKind,
    number[][]
  >;
  const scansMs: number[][] = [];
  const bursts: Burst[] = [];
  const timed = (kind: AskedKind): Promise<number> =>
    kind === "empty" ? timedEmpty(health) : askTimed(client, question(kind));
  const burstQuestions = Array.from({ length: questionsPerRound * burstShare }, () =>
    question("anyTimeframe"),
  );
  const full = { sinceMs: stored.sinceMs, toMs: throughMs };
  progress("warming up ...");
  for (const kind of shuffled(questionsPerRound, random)) await timed(kind);
  await runBurst(server, burstQuestions);
  await scan.run(full);
  const load = watchMachineLoad();
  for (let round = 1; round <= rounds; round++) {
    for (const kind of askedKinds) latenciesMs[kind].push([]);
    for (const kind of shuffled(questionsPerRound, random)) latenciesMs[kind].at(-1)!.push(await timed(kind));
    scansMs.push([]);
    for (let scans = 0; scans < scansPerRound; scans++) scansMs.at(-1)!.push(await scan.run(full));
    bursts.push(await runBurst(server, burstQuestions));
    progress(`round ${round} of ${rounds}: ${questionsPerRound * askedKinds.length} calls`);
  }
  const { status } = await client.getPipelineStatus({});
  return {
    kind: "query",
    machine: machineFacts(Date.now()),
    readings,
    series: storedSeries,
    questionsPerRound,
    peakMemoryMib: peakMemoryMib(server.pid),
    versions: status?.versions ?? {},
    load: load.stop(),
    latenciesMs,
    scansMs,
    bursts,
  };
}

async function expectReadings(client: QueryClient, expected: number): Promise<void> {
  const { rows } = await client.getAggregates({ groupBy: GroupBy.SENSOR });
  const count = rows.reduce((sum, row) => sum + Number(row.count), 0);
  if (count !== expected) throw new Error(`${expected} readings were stored, but the answer counts ${count}`);
}

async function timedEmpty(health: Client<typeof Health>): Promise<number> {
  const startMs = performance.now();
  await health.check({});
  return performance.now() - startMs;
}

/** Each kind `times` times, in random order. */
function shuffled(times: number, random: () => number): AskedKind[] {
  return askedKinds
    .flatMap((kind) => Array.from({ length: times }, () => ({ kind, place: random() })))
    .sort((a, b) => a.place - b.place)
    .map(({ kind }) => kind);
}
