import { defineMetrics, type Metrics, samplesBy } from "@devicemesh/kit/observability/metrics";
import type { DeliveryCounts } from "./deliver/delivery.ts";
import type { MqttCounts } from "./mqtt/mqtt-listener.ts";

/** The sources of a gateway's metrics. */
export const gatewayMetrics = defineMetrics({
  readings: {
    name: "devicemesh_gateway_readings_total",
    type: "counter",
    unit: "readings",
    help: "Readings by outcome: durably stored, rejected by a rule, or not stored in time, so that the sender was asked to retry",
    labels: { outcome: ["stored", "rejected", "unavailable"] },
  },
  waiting: {
    name: "devicemesh_gateway_waiting_readings",
    type: "gauge",
    unit: "readings",
    help: "Readings that wait for ingest or are being sent",
  },
  failedAttempts: {
    name: "devicemesh_gateway_failed_attempts_total",
    type: "counter",
    unit: "calls",
    help: "Calls to ingest that failed; they are retried",
  },
  reachable: {
    name: "devicemesh_gateway_ingest_reachable",
    type: "gauge",
    unit: "0 or 1",
    help: "Whether the last call to ingest succeeded",
  },
  connections: {
    name: "devicemesh_gateway_mqtt_connections",
    type: "gauge",
    unit: "connections",
    help: "Open connections of the MQTT broker",
  },
  messages: {
    name: "devicemesh_gateway_mqtt_messages_total",
    type: "counter",
    unit: "messages",
    help: "MQTT messages that devices published to the broker: with readings that are stored, with a rejected reading, or without readings",
    labels: { outcome: ["stored", "rejected", "other"] },
  },
  bridged: {
    name: "devicemesh_gateway_bridged_messages_total",
    type: "counter",
    unit: "messages",
    help: "The same for messages of the existing broker",
    labels: { outcome: ["stored", "rejected", "other"] },
  },
  bridgeConnected: {
    name: "devicemesh_gateway_bridge_connected",
    type: "gauge",
    unit: "0 or 1",
    help: "Whether the bridge is subscribed to the existing broker; absent without a bridge",
  },
});

type Messages = Readonly<Record<"stored" | "rejected" | "other", number>>;

/** Registers a gateway's metrics; those of a part that is not running have no values. */
export function registerGatewayMetrics(
  metrics: Metrics,
  sources: {
    readonly delivery: () => DeliveryCounts;
    readonly isReachable: () => boolean;
    readonly mqtt: () => MqttCounts | undefined;
    readonly bridge: () => (Messages & { readonly isConnected: boolean }) | undefined;
  },
): void {
  const messages = (counts: Messages | undefined) =>
    counts && samplesBy("outcome", { stored: counts.stored, rejected: counts.rejected, other: counts.other });
  metrics.register(gatewayMetrics, {
    readings() {
      const { stored, rejected, unavailable } = sources.delivery();
      return samplesBy("outcome", { stored, rejected, unavailable });
    },
    waiting: () => sources.delivery().waiting,
    failedAttempts: () => sources.delivery().failedAttempts,
    reachable: () => Number(sources.isReachable()),
    connections: () => sources.mqtt()?.connections,
    messages: () => messages(sources.mqtt()),
    bridged: () => messages(sources.bridge()),
    bridgeConnected: () => {
      const bridge = sources.bridge();
      return bridge && Number(bridge.isConnected);
    },
  });
}
