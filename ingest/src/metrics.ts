import { defineMetrics, type Metrics, samplesBy } from "@devicemesh/kit/observability/metrics";
import { ruleIds } from "./checks/reading-violations.ts";
import type { IngestStats } from "./counters.ts";
import type { PartitionedLogStats } from "./log/kafka/partitioned-message-log.ts";
import type { MessageLog } from "./log/message-log.ts";

/** The sources of ingest's metrics. */
export const ingestMetrics = defineMetrics({
  readings: {
    name: "devicemesh_ingest_readings_total",
    type: "counter",
    unit: "readings",
    help: "Readings of units that were answered: acknowledged as durably stored, or rejected by a rule",
    labels: { outcome: ["accepted", "refused"] },
  },
  refused: {
    name: "devicemesh_ingest_refused_readings_total",
    type: "counter",
    unit: "readings",
    help: "Rejected readings by the id of the first rule that they broke, as in the response",
    labels: { rule: ruleIds },
  },
  units: {
    name: "devicemesh_ingest_units_total",
    type: "counter",
    unit: "commit units",
    help: "Streams and batches that ended: acknowledged, answered with an error, or abandoned by their client",
    labels: { outcome: ["acknowledged", "failed", "abandoned"] },
  },
  openUnits: {
    name: "devicemesh_ingest_open_units",
    type: "gauge",
    unit: "commit units",
    help: "Streams and batches that are open",
  },
  frames: {
    name: "devicemesh_ingest_frames_total",
    type: "counter",
    unit: "frames",
    help: "Frames received, those of failed units too",
  },
  frameBytes: {
    name: "devicemesh_ingest_frame_bytes_total",
    type: "counter",
    unit: "bytes",
    help: "Bytes of those frames",
  },
  waitingReadings: {
    name: "devicemesh_ingest_waiting_readings",
    type: "gauge",
    unit: "readings",
    help: "Readings handed to the log that it has not acknowledged",
  },
  logReachable: {
    name: "devicemesh_ingest_log_reachable",
    type: "gauge",
    unit: "0 or 1",
    help: "Whether the log accepts readings, as health reports",
  },
  appendSeconds: {
    name: "devicemesh_ingest_append_seconds",
    type: "histogram",
    unit: "seconds",
    help: "Time until the log answered an append, which is the accepted readings of a frame",
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
  },
});

/** The sources of the metrics of a log over Kafka. */
export const ingestLogMetrics = defineMetrics({
  sends: {
    name: "devicemesh_ingest_log_sends_total",
    type: "counter",
    unit: "produce requests",
    help: "Sends to a partition of the topic; failed batches are sent again while their callers wait",
    labels: { outcome: ["acknowledged", "failed"] },
  },
  timedOut: {
    name: "devicemesh_ingest_append_timeouts_total",
    type: "counter",
    unit: "appends",
    help: "Appends that were given up because the topic took too long; their units failed",
  },
});

/** Registers ingest's metrics. */
export function registerIngestMetrics(
  metrics: Metrics,
  { stats, isLogReachable }: { readonly stats: () => IngestStats; readonly isLogReachable: () => boolean },
): { readonly timed: (log: MessageLog) => MessageLog } {
  const { appendSeconds } = metrics.register(ingestMetrics, {
    readings: () => samplesBy("outcome", { accepted: stats().accepted, refused: stats().refused }),
    refused() {
      const { refusedByRule } = stats();
      return ruleIds.map((rule) => ({ labels: { rule }, value: refusedByRule.get(rule) ?? 0 }));
    },
    units() {
      const { units, failedUnits, abandonedUnits } = stats();
      return samplesBy("outcome", { acknowledged: units, failed: failedUnits, abandoned: abandonedUnits });
    },
    openUnits: () => stats().openStreams,
    frames: () => stats().frames,
    frameBytes: () => stats().bytes,
    waitingReadings: () => stats().readingsInFlight,
    logReachable: () => Number(isLogReachable()),
  });
  return {
    timed: (log) => ({
      async append(batch) {
        const beganMs = performance.now();
        try {
          return await log.append(batch);
        } finally {
          appendSeconds.observe((performance.now() - beganMs) / 1000);
        }
      },
    }),
  };
}

/** Registers the metrics of a log over Kafka. */
export function registerIngestLogMetrics(metrics: Metrics, stats: () => PartitionedLogStats): void {
  metrics.register(ingestLogMetrics, {
    sends() {
      const { sends, failedSends } = stats();
      return samplesBy("outcome", { acknowledged: sends, failed: failedSends });
    },
    timedOut: () => stats().timedOut,
  });
}
