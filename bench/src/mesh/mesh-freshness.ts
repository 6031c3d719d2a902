import { setTimeout as delay } from "node:timers/promises";
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { millisecondsFloor, protoTimestamp } from "@devicemesh/proto";
import { IngestService } from "@devicemesh/proto/es/devicemesh/v1/ingest_service_pb.ts";
import { QueryService } from "@devicemesh/proto/es/devicemesh/v1/query_service_pb.ts";
import type { Reached } from "../freshness/hops.ts";
import { pollUntil } from "./poll-until.ts";
import { createProbeTimes, type ProbeDelays } from "./probe-times.ts";

/** The device of the probes. */
export const probeDevice = "bench-probe";
/** Interval of the queries while a probe is in no answer yet, in ms; it is the precision of that delay. */
export const probePollMs = 10;
/** Interval otherwise, for the frontier alone: fewer queries leave the machine to what is measured. */
const coveredPollMs = 50;
/** Time limit for the last probes to be covered, in ms. */
const coverLimitMs = 120_000;

/** What was observed of the probes. */
export type Freshness = {
  /** Of the probes of the warm-up; empty without one. */
  readonly warmUp: ProbeDelays;
  readonly probes: ProbeDelays;
  /** The frontiers that the answers stated, ms since 1970. */
  readonly frontiers: Reached;
};

/**
 * Sends a reading periodically during the warm-up and for `ms` after it, and queries it meanwhile.
 * @throws Error if a reading is rejected, or not covered within two minutes.
 */
export async function measureFreshness(options: {
  /** host:port. */
  readonly ingest: string;
  readonly query: string;
  /** None by default. */
  readonly warmUpMs?: number | undefined;
  readonly ms: number;
  readonly everyMs: number;
  /** Returns how many probes the database has; it is not observed if left out. */
  readonly countStored?: (() => Promise<number>) | undefined;
  readonly signal: AbortSignal;
}): Promise<Freshness> {
  const { warmUpMs = 0, everyMs, countStored, signal } = options;
  const ingest = createClient(IngestService, createGrpcTransport({ baseUrl: `http://${options.ingest}` }));
  const query = createClient(QueryService, createGrpcTransport({ baseUrl: `http://${options.query}` }));
  const times = createProbeTimes();
  const frontiers: { readonly atMs: number; readonly value: number }[] = [];

  let askedMs = Number.NEGATIVE_INFINITY;
  async function poll(): Promise<void> {
    if (times.unanswered === 0 && performance.now() < askedMs + coveredPollMs) return;
    askedMs = performance.now();
    const { rows, coverage } = await query.getAggregates({ deviceIds: [probeDevice] }, { timeoutMs: 30_000 });
    const frontierMs = coverage?.frontier ? millisecondsFloor(coverage.frontier) : 0;
    const nowMs = Date.now();
    times.answered({ count: Number(rows[0]?.count ?? 0n), frontierMs, nowMs });
    if (frontierMs !== frontiers.at(-1)?.value) frontiers.push({ atMs: nowMs, value: frontierMs });
  }

  let warmUpProbes = 0;
  async function send(): Promise<void> {
    const warmMs = Date.now() + warmUpMs;
    const endMs = warmMs + options.ms;
    while (Date.now() < endMs && !signal.aborted) {
      const reading = {
        deviceId: probeDevice,
        timestamp: protoTimestamp(Date.now()),
        measurement: { case: "thermostat", value: { temperature: 20 } },
      } as const;
      const { accepted } = await ingest.publishReadingBatch({ readings: [reading] }, { timeoutMs: 30_000 });
      if (accepted !== 1n) throw new Error("a probe was rejected");
      times.acknowledged(Date.now());
      if (Date.now() < warmMs) warmUpProbes += 1;
      await delay(everyMs, undefined, { signal }).catch(() => {});
    }
  }

  let sending = true;
  const sent = send().finally(() => {
    sending = false;
  });
  async function observeStored(): Promise<void> {
    while (countStored && !signal.aborted && (sending || times.open > 0)) {
      if (times.unanswered > 0) times.stored(await countStored(), Date.now());
      await delay(probePollMs, undefined, { signal }).catch(() => {});
    }
  }
  const stored = observeStored();
  const seen = pollUntil({
    what: "all probes are covered by the frontier",
    limitMs: warmUpMs + options.ms + coverLimitMs,
    everyMs: probePollMs,
    signal,
    async poll() {
      await poll();
      return !sending && times.open === 0 ? true : undefined;
    },
  });
  await Promise.all([sent, seen, stored]);
  return {
    warmUp: times.delays({ to: warmUpProbes }),
    probes: times.delays({ from: warmUpProbes }),
    frontiers,
  };
}
