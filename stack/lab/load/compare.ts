import { setTimeout as delay } from "node:timers/promises";
import type { Client } from "@connectrpc/connect";
import type { DeviceMessage } from "@devicemesh/proto";
import type { QueryService } from "@devicemesh/proto/es/devicemesh/v1/query_service_pb.ts";
import { ask, createOracle, type Question } from "@devicemesh/query/testing/oracle/index";

const pollMs = 1000;
/** How long nothing may change while sinks store what was acknowledged, or the window job folds it: two busy cores. */
const stillLimitMs = 900_000;
/** The finest windows of the mesh. */
const windowMs = 10_000;

/** The result of comparing answers with brute force. */
export type Comparison = {
  readonly stored: number;
  readonly asked: number;
  /** One line for each value that differs from brute force. */
  readonly differences: readonly string[];
  /** Number of readings that came from windows in the last query. */
  readonly fromWindows: number;
};

/** Clients of query behind one or several Envoys: a query without a response is sent to the next. */
export type Queries = readonly Client<typeof QueryService>[];

/**
 * Waits until all acknowledged readings are stored, then queries all of them, a part, one device, and buckets.
 */
export async function compareWithBruteForce(
  queries: Queries,
  readings: readonly DeviceMessage[],
  signal: AbortSignal,
): Promise<Comparison> {
  const oracle = createOracle();
  oracle.accept(readings);
  const deviceIds = [...new Set(readings.map(({ deviceId }) => deviceId))];
  const stored = await untilStored(queries, deviceIds, readings.length, signal);
  const times = readings.map(({ timestampMs }) => timestampMs).sort((one, other) => one - other);
  const at = (share: number) => ({ ms: times[Math.floor((times.length - 1) * share)] as number, nanos: 0 });
  const all: Question = { deviceIds, sensors: [] };
  const questions: readonly Question[] = [
    all,
    { ...all, since: at(0.2), to: { ms: at(0.9).ms + 1, nanos: 0 } },
    { ...all, deviceIds: deviceIds.slice(0, 1) },
  ];
  const differences: string[] = [];
  for (const question of questions) {
    const found = await answered(queries, signal, (query) =>
      ask({ query, oracle, windowMs }, question, { kind: "aggregates", grouping: "series" }),
    );
    differences.push(...found);
  }
  const buckets = await answered(queries, signal, (query) =>
    ask({ query, oracle, windowMs }, all, {
      ...{ kind: "buckets", grouping: "sensor", fill: "none" },
      resolution: { kind: "maxPoints", points: 100 },
    }),
  );
  differences.push(...buckets);
  const { fromWindows } = await countOf(queries, deviceIds, signal);
  return { stored, asked: questions.length + 1, differences, fromWindows };
}

/**
 * Resolves with the seconds until at least one of these readings is answered from windows, so that the window job runs
 * and the frontier moves.
 * @throws Error after the time limit.
 */
export async function untilFolded(
  queries: Queries,
  readings: readonly DeviceMessage[],
  signal: AbortSignal,
): Promise<number> {
  const startMs = performance.now();
  const deviceIds = [...new Set(readings.map(({ deviceId }) => deviceId))];
  for (;;) {
    const { fromWindows } = await countOf(queries, deviceIds, signal);
    if (fromWindows > 0) return Math.round((performance.now() - startMs) / 1000);
    if (performance.now() - startMs > stillLimitMs)
      throw new Error("no window was folded: the frontier stands");
    await delay(pollMs, undefined, { signal });
  }
}

async function untilStored(
  queries: Queries,
  deviceIds: readonly string[],
  wanted: number,
  signal: AbortSignal,
): Promise<number> {
  let [known, changedMs] = [0, performance.now()];
  for (;;) {
    const { count } = await countOf(queries, deviceIds, signal);
    if (count !== known) changedMs = performance.now();
    known = count;
    if (count >= wanted || performance.now() - changedMs > stillLimitMs) return count;
    await delay(pollMs, undefined, { signal });
  }
}

async function countOf(queries: Queries, deviceIds: readonly string[], signal: AbortSignal) {
  const { rows, coverage } = await answered(queries, signal, (query) =>
    query.getAggregates({ deviceIds: [...deviceIds] }),
  );
  return {
    count: rows.reduce((sum, { count }) => sum + Number(count), 0),
    fromWindows: Number(coverage?.fromWindows ?? 0n),
  };
}

/** Returns the first response; a missing response is not a wrong one. @throws the last error after the limit. */
async function answered<Answer>(
  queries: Queries,
  signal: AbortSignal,
  question: (query: Client<typeof QueryService>) => Promise<Answer>,
): Promise<Answer> {
  const startMs = performance.now();
  for (let attempt = 0; ; attempt++) {
    try {
      return await question(queries[attempt % queries.length] as Client<typeof QueryService>);
    } catch (error) {
      if (performance.now() - startMs > stillLimitMs) throw error;
      await delay(pollMs, undefined, { signal });
    }
  }
}
