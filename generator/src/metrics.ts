import { defineMetrics, type Metrics, samplesBy } from "@devicemesh/kit/observability/metrics";
import type { Generator } from "./generator.ts";

/** The sources of the generator's metrics. */
export const generatorMetrics = defineMetrics({
  readings: {
    name: "devicemesh_generator_readings_total",
    type: "counter",
    unit: "readings",
    help: "Readings handed to the outbox (sent), and their outcomes; those without an outcome are waiting",
    labels: { outcome: ["sent", "acknowledged", "refused", "dropped"] },
  },
  outboxReadings: {
    name: "devicemesh_generator_outbox_readings",
    type: "gauge",
    unit: "readings",
    help: "Readings that ingest has not acknowledged, in memory and on disk",
  },
  outboxSpilledBytes: {
    name: "devicemesh_generator_outbox_spilled_bytes",
    type: "gauge",
    unit: "bytes",
    help: "Bytes of those on disk; 0 without a spill folder",
  },
  deliveryRetries: {
    name: "devicemesh_generator_delivery_retries_total",
    type: "counter",
    unit: "attempts",
    help: "Failed attempts to deliver a unit; each is retried",
  },
  devices: {
    name: "devicemesh_generator_devices",
    type: "gauge",
    unit: "devices",
    help: "Simulated devices; 0 while the generator is stopped",
  },
});

/** Registers the generator's metrics. */
export function registerGeneratorMetrics(
  metrics: Metrics,
  generator: Pick<Generator, "totals" | "state">,
): void {
  metrics.register(generatorMetrics, {
    readings() {
      const { added, acked, refused, dropped } = generator.totals();
      return samplesBy("outcome", { sent: added, acknowledged: acked, refused, dropped });
    },
    outboxReadings: () => generator.totals().pending,
    outboxSpilledBytes: () => generator.totals().spilledBytes,
    deliveryRetries: () => generator.totals().failedAttempts,
    devices() {
      const { running, simulation } = generator.state();
      return running ? (simulation?.devices.count ?? 0) : 0;
    },
  });
}
