import { setTimeout as delay } from "node:timers/promises";
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { millisecondsFloor, protoTimestamp } from "@devicemesh/proto";
import { IngestService } from "@devicemesh/proto/es/devicemesh/v1/ingest_service_pb.ts";
import { QueryService } from "@devicemesh/proto/es/devicemesh/v1/query_service_pb.ts";
import { pollUntil } from "./poll-until.ts";
import { createProbeTimes, type ProbeDelays } from "./probe-times.ts";

/** The device of the probes. */
const probeDevice = "bench-probe";
/** Interval of the queries, in ms, which is also the precision of the delays. */
export const probePollMs = 50;
/** Time limit for the last probes to be covered, in ms. */
const coverLimitMs = 120_000;

/**
 * Sends a reading periodically for `ms`, and queries it meanwhile.
 * @throws Error if a reading is rejected, or not covered within two minutes.
 */
export async function measureFreshness(options: {
  /** host:port. */
  readonly ingest: string;
  readonly query: string;
  readonly ms: number;
  readonly everyMs: number;
  readonly signal: AbortSignal;
}): Promise<ProbeDelays> {
  const { everyMs, signal } = options;
  const ingest = createClient(IngestService, createGrpcTransport({ baseUrl: `http://${options.ingest}` }));
  const query = createClient(QueryService, createGrpcTransport({ baseUrl: `http://${options.query}` }));
  const times = createProbeTimes();

  async function poll(): Promise<void> {
    const { rows, coverage } = await query.getAggregates({ deviceIds: [probeDevice] }, { timeoutMs: 30_000 });
    times.answered({
      count: Number(rows[0]?.count ?? 0n),
      frontierMs: coverage?.frontier ? millisecondsFloor(coverage.frontier) : 0,
      nowMs: Date.now(),
    });
  }

  async function send(): Promise<void> {
    const endMs = Date.now() + options.ms;
    while (Date.now() < endMs && !signal.aborted) {
      const reading = {
        deviceId: probeDevice,
        timestamp: protoTimestamp(Date.now()),
        measurement: { case: "thermostat", value: { temperature: 20 } },
      } as const;
      const { accepted } = await ingest.publishReadingBatch({ readings: [reading] }, { timeoutMs: 30_000 });
      if (accepted !== 1n) throw new Error("a probe was rejected");
      times.acknowledged(Date.now());
      await delay(everyMs, undefined, { signal }).catch(() => {});
    }
  }

  let sending = true;
  const sent = send().finally(() => {
    sending = false;
  });
  const seen = pollUntil({
    what: "all probes are covered by the frontier",
    limitMs: options.ms + coverLimitMs,
    everyMs: probePollMs,
    signal,
    async poll() {
      await poll();
      return !sending && times.open === 0 ? true : undefined;
    },
  });
  await Promise.all([sent, seen]);
  return times.delays();
}
