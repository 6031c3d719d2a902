import { setTimeout as delay } from "node:timers/promises";
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { protoTimestamp } from "@devicemesh/proto";
import { GroupBy } from "@devicemesh/proto/es/devicemesh/v1/aggregate_pb.ts";
import { AggregatorService } from "@devicemesh/proto/es/devicemesh/v1/aggregator_service_pb.ts";
import { QueryService } from "@devicemesh/proto/es/devicemesh/v1/query_service_pb.ts";
import { fleet, startLoadOn } from "../ingest/ingest-peers.ts";
import type { BenchServices } from "./bench-services.ts";
import { measureFreshness, probeDevice } from "./mesh-freshness.ts";
import type { BenchStore } from "./mongo-bench-store.ts";
import { pollUntil } from "./poll-until.ts";
import type { ProbeDelays } from "./probe-times.ts";
import { type WindowBatch, watchBatches } from "./window-job-batches.ts";

/** The size of the measurement of the pipeline behind ingest. */
export type MeshChainSettings = {
  /** Number of readings in the log before sink and window job start; a multiple of 4000. */
  readonly backlogReadings: number;
  /** Duration of the live part, in ms, after a warm-up of a third of it. */
  readonly liveMs: number;
  /** Number of devices in the live part, with a reading a second each. */
  readonly liveDevices: number;
};

/** The results. */
export type MeshChainResult = {
  /** Readings in the backlog: acknowledged, then all found in the store and in the answer. */
  readonly backlogReadings: number;
  /** The sink of raw readings alone, while it processes the backlog. */
  readonly sink: { readonly documentsPerSecond: number; readonly seconds: number };
  /** The window job, alone except for the sink of its partials, while it processes the backlog. */
  readonly backlog: {
    readonly batches: readonly WindowBatch[];
    readonly partials: number;
    /** From the start of the aggregator until the whole backlog was before the frontier. */
    readonly coveredSeconds: number;
  };
  readonly live: {
    readonly devices: number;
    readonly seconds: number;
    /** After the warm-up, as the probes. */
    readonly batches: readonly WindowBatch[];
    readonly warmUpSeconds: number;
    readonly warmUp: ProbeDelays;
    readonly probes: ProbeDelays;
  };
  readonly versions: Readonly<Record<string, string>>;
};

/** Time limit of a backlog, in ms. */
const backlogLimitMs = 600_000;
/** Number of probes in the live part: enough for a p99, and far enough apart to add no load. */
const probeEveryMs = 300;
/** Readings of the backlog are a year old, so that every reading older than half a year belongs to it. */
const halfYearMs = 182 * 86_400_000;

/**
 * Measures sink, window job and freshness, one after the other, on a mesh with empty topics and no running service.
 * @throws Error if the store or the answer does not have exactly the acknowledged readings, if the window job dropped
 * one, or if a step takes too long.
 */
export async function measureMeshChain(
  settings: MeshChainSettings,
  dependencies: {
    readonly services: BenchServices;
    readonly store: BenchStore;
    readonly progress: (line: string) => void;
  },
): Promise<MeshChainResult> {
  const { services, store, progress } = dependencies;
  const { signal } = services;
  const ingest = await services.start("ingest");
  const acknowledged = await appendBacklog(ingest.port, settings.backlogReadings);
  const endMs = Date.now();
  progress(`${acknowledged.toLocaleString("en-US")} readings wait in the log`);

  await services.start("operator");
  const sink = await drainSink(acknowledged, store, signal);
  progress(`the sink wrote them at ${Math.round(sink.documentsPerSecond)} documents/s`);

  const startMs = performance.now();
  const aggregator = await services.start("aggregator");
  const windowJob = createClient(
    AggregatorService,
    createGrpcTransport({ baseUrl: `http://${aggregator.address}` }),
  );
  const backlogWatch = watchBatches(windowJob, undefined);
  await pollUntil({
    what: "the frontier is past the backlog",
    limitMs: backlogLimitMs,
    everyMs: 100,
    signal,
    poll: async () => ((backlogWatch.last?.frontierMs ?? 0) > endMs ? true : undefined),
  });
  const coveredSeconds = (performance.now() - startMs) / 1000;
  const batches = await backlogWatch.stop();
  const partials = await store.countPartials();
  progress(`Spark worked them off in ${batches.length} batches; the frontier is past them`);

  // Query needs the generator's address, so the generator starts first.
  await services.start("generator");
  const query = await services.start("query");
  const asked = createClient(QueryService, createGrpcTransport({ baseUrl: `http://${query.address}` }));
  await expectAnswer(asked, acknowledged, signal);
  progress(`${settings.liveDevices} devices play ...`);
  const warmUpMs = settings.liveMs / 3;
  const watching = delay(warmUpMs, undefined, { signal }).then(() =>
    watchBatches(windowJob, backlogWatch.last?.batch),
  );
  watching.catch(() => {});
  const { warmUp, probes } = await measureFreshness({
    ingest: ingest.address,
    query: query.address,
    warmUpMs,
    ms: settings.liveMs,
    everyMs: probeEveryMs,
    countStored: () => store.countReadingsOf(probeDevice),
    signal,
  });
  const liveWatch = await watching;
  const liveBatches = await liveWatch.stop();
  const dropped = liveWatch.last?.rowsDropped ?? 0;
  if (dropped > 0) throw new Error(`the window job dropped ${dropped} messages`);
  const { status } = await asked.getPipelineStatus({});
  return {
    backlogReadings: acknowledged,
    sink,
    backlog: { batches, partials, coveredSeconds },
    live: {
      devices: settings.liveDevices,
      seconds: settings.liveMs / 1000,
      batches: liveBatches,
      warmUpSeconds: warmUpMs / 1000,
      warmUp,
      probes,
    },
    versions: status?.versions ?? {},
  };
}

/** One commit unit from each gateway. */
async function appendBacklog(port: number, readings: number): Promise<number> {
  const framesPerUnit = readings / fleet.gateways / fleet.readingsPerFrame;
  const load = await startLoadOn("ours", port, framesPerUnit);
  try {
    return await load.run(0);
  } finally {
    load.close();
  }
}

async function drainSink(
  readings: number,
  store: BenchStore,
  signal: AbortSignal,
): Promise<MeshChainResult["sink"]> {
  let first: { readonly count: number; readonly atMs: number } | undefined;
  const last = await pollUntil({
    what: `the sink has written ${readings} readings`,
    limitMs: backlogLimitMs,
    everyMs: 200,
    signal,
    async poll() {
      const count = await store.countReadings();
      const atMs = performance.now();
      if (count > readings)
        throw new Error(`${readings} readings were acknowledged, but ${count} are stored`);
      if (count > 0) first ??= { count, atMs };
      return count === readings ? { count, atMs } : undefined;
    },
  });
  if (!first || first === last || last.atMs === first.atMs) throw new Error("the backlog was too small");
  const seconds = (last.atMs - first.atMs) / 1000;
  return { documentsPerSecond: (last.count - first.count) / seconds, seconds };
}

async function expectAnswer(
  query: ReturnType<typeof createClient<typeof QueryService>>,
  readings: number,
  signal: AbortSignal,
): Promise<void> {
  const rows = await pollUntil({
    what: "query answers",
    limitMs: 60_000,
    everyMs: 200,
    signal,
    poll: () =>
      query
        .getAggregates({ groupBy: GroupBy.SENSOR, to: protoTimestamp(Date.now() - halfYearMs) })
        .then((answer) => answer.rows)
        .catch(() => undefined),
  });
  const count = rows.reduce((sum, row) => sum + Number(row.count), 0);
  if (count !== readings)
    throw new Error(`${readings} readings were acknowledged, but the answer counts ${count}`);
}
