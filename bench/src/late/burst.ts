import type { Client } from "@connectrpc/connect";
import { protoTimestamp } from "@devicemesh/proto";
import { GroupBy } from "@devicemesh/proto/es/devicemesh/v1/aggregate_pb.ts";
import type { QueryService } from "@devicemesh/proto/es/devicemesh/v1/query_service_pb.ts";
import { createRandom } from "../load/fleet.ts";
import type { GrpcLoadSettings } from "../load/grpc-load.ts";
import { startLoad } from "../load/load-process.ts";
import { pollUntil } from "../mesh/poll-until.ts";
import type { LateStore } from "./mongo-late-store.ts";

/** A burst of readings through the mesh. */
export type Burst = {
  /** Each reading is somewhere in a day; otherwise each device sends a reading a second, in order. */
  readonly isLate: boolean;
  readonly readings: number;
  /** Documents of the finest level. */
  readonly partials: number;
  /** Mean size of a document of a reading and of a partial, in bytes, without indexes. */
  readonly readingBytes: number;
  readonly partialBytes: number;
  /** From the first document of a sink until its last, in s. */
  readonly readingsSinkSeconds: number;
  readonly partialsSinkSeconds: number;
  /** From the last acknowledgement until the frontier has passed it, in s. */
  readonly coveredSeconds: number;
  /** Answers over all devices and a part of the burst's time after that, in ms. */
  readonly answersMs: readonly number[];
};

const devices = 1000;
/** Each has 25 devices, and a frame has a reading of each of them. */
const gateways = 40;
const daySeconds = 86_400;
const limitMs = 600_000;

/** Sends a burst and measures it. @throws Error if an answer differs from what was acknowledged. */
export async function measureBurst(
  burst: {
    readonly isLate: boolean;
    readonly readings: number;
    readonly questions: number;
    /** When its first readings were measured. */
    readonly startSeconds: number;
  },
  mesh: {
    /** Of ingest. */
    readonly port: number;
    readonly query: Client<typeof QueryService>;
    readonly store: LateStore;
    readonly signal: AbortSignal;
  },
): Promise<Burst> {
  const { isLate, readings, startSeconds } = burst;
  const { port, query, store, signal } = mesh;
  const span = {
    sinceMs: startSeconds * 1000,
    // The first frame of late ones is the latest of a day.
    toMs: (startSeconds + (isLate ? daySeconds + 1 : readings / devices)) * 1000,
  };
  const stored = store.watchSinks(signal);
  const settings: GrpcLoadSettings = {
    port,
    devices,
    gateways,
    readingsPerFrame: devices / gateways,
    framesPerUnit: readings / devices,
    startSeconds,
    ...(isLate && { lateUnits: 1 }),
  };
  const load = await startLoad(new URL("../load/grpc-load.ts", import.meta.url), settings);
  const acknowledged = await load.run(0).finally(load.close);
  const endMs = Date.now();
  await pollUntil({
    what: "the frontier has passed the readings",
    limitMs,
    everyMs: 50,
    signal,
    poll: async () => ((await store.frontierMs()) > endMs ? true : undefined),
  });
  const coveredSeconds = (Date.now() - endMs) / 1000;
  const sinks = await stored.stop();
  const found = await store.documentsOf(span);
  if (acknowledged !== readings || found.readings !== readings) {
    throw new Error(
      `${readings} readings were sent, ${acknowledged} acknowledged, ${found.readings} are stored`,
    );
  }
  const answersMs = await ask(query, { ...span, readings, questions: burst.questions });
  return { isLate, ...found, ...sinks, coveredSeconds, answersMs };
}

async function ask(
  query: Client<typeof QueryService>,
  request: {
    readonly sinceMs: number;
    readonly toMs: number;
    readonly readings: number;
    readonly questions: number;
  },
): Promise<readonly number[]> {
  const { sinceMs, toMs, readings, questions } = request;
  const random = createRandom(7);
  const answersMs: number[] = [];
  const countOf = async (fromMs: number, untilMs: number): Promise<number> => {
    const bounds = { since: protoTimestamp(fromMs), to: protoTimestamp(untilMs) };
    const { rows } = await query.getAggregates({ ...bounds, groupBy: GroupBy.SENSOR });
    return rows.reduce((sum, { count }) => sum + Number(count), 0);
  };
  while (answersMs.length < questions) {
    const cutMs = sinceMs + Math.floor(random() * (toMs - sinceMs));
    const startMs = performance.now();
    const before = await countOf(sinceMs, cutMs);
    answersMs.push(performance.now() - startMs);
    const count = before + (await countOf(cutMs, toMs));
    if (count !== readings) throw new Error(`two answers count ${count} of ${readings} readings`);
  }
  return answersMs;
}
