import { fileURLToPath } from "node:url";
import { type Client, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { GroupBy } from "@devicemesh/proto/es/devicemesh/v1/aggregate_pb.ts";
import { QueryService } from "@devicemesh/proto/es/devicemesh/v1/query_service_pb.ts";
import { createRandom } from "../load/fleet.ts";
import { type MachineFacts, machineFacts } from "../report/machine.ts";
import { peakMemoryMib } from "../report/process-usage.ts";
import { startServerProcess } from "../servers/server-process.ts";
import { startFlags } from "../servers/start-flags.ts";
import { createQuestions, type Question, type QuestionKind, questionKinds } from "./query-questions.ts";
import { prepareQueryStore, storedSeries, storedThroughMs } from "./query-store.ts";

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
  /** The latencies of each kind in ms: a list for each round, in order. */
  readonly latenciesMs: Readonly<Record<QuestionKind, readonly (readonly number[])[]>>;
};

type QueryClient = Client<typeof QueryService>;

/** Sends queries of all kinds, shuffled, one at a time, through gRPC on loopback, and measures their latencies. */
export async function runQueryBench(settings: QueryBenchSettings): Promise<QueryResult> {
  const { rounds, questionsPerRound, progress } = settings;
  const folder = await prepareQueryStore(settings);
  await using server = await startServerProcess({
    command: process.execPath,
    args: [...startFlags, fileURLToPath(new URL("../servers/query-server.ts", import.meta.url)), folder],
  });
  const client = createClient(
    QueryService,
    createGrpcTransport({ baseUrl: `http://127.0.0.1:${server.port}` }),
  );
  const readings = Math.ceil(settings.readings / storedSeries) * storedSeries;
  await expectReadings(client, readings);
  const random = createRandom(7);
  const question = createQuestions({ throughMs: storedThroughMs(readings), random });
  const latenciesMs = Object.fromEntries(questionKinds.map((kind) => [kind, [] as number[][]])) as Record<
    QuestionKind,
    number[][]
  >;
  progress("warming up ...");
  for (const kind of shuffled(questionsPerRound, random)) await timed(client, question(kind));
  for (let round = 1; round <= rounds; round++) {
    for (const kind of questionKinds) latenciesMs[kind].push([]);
    for (const kind of shuffled(questionsPerRound, random)) {
      latenciesMs[kind].at(-1)!.push(await timed(client, question(kind)));
    }
    progress(`round ${round} of ${rounds}: ${questionsPerRound * questionKinds.length} questions`);
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
    latenciesMs,
  };
}

async function expectReadings(client: QueryClient, expected: number): Promise<void> {
  const { rows } = await client.getAggregates({ groupBy: GroupBy.SENSOR });
  const count = rows.reduce((sum, row) => sum + Number(row.count), 0);
  if (count !== expected) throw new Error(`${expected} readings were stored, but the answer counts ${count}`);
}

async function timed(client: QueryClient, { request, rows }: Question): Promise<number> {
  const startMs = performance.now();
  const answer = await client.getAggregates(request);
  const elapsedMs = performance.now() - startMs;
  if (answer.rows.length !== rows) throw new Error(`${rows} rows expected, ${answer.rows.length} answered`);
  return elapsedMs;
}

/** Each kind `times` times, in random order. */
function shuffled(times: number, random: () => number): QuestionKind[] {
  return questionKinds
    .flatMap((kind) => Array.from({ length: times }, () => ({ kind, place: random() })))
    .sort((a, b) => a.place - b.place)
    .map(({ kind }) => kind);
}
