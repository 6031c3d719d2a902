import type { Board } from "./board.ts";
import { buckets, quantile, rate } from "./queries.ts";

/** Incoming readings: accepted and rejected ones, latency of the log, and readings that senders still hold. */
export const ingestAndGenerator: Board = {
  name: "ingest-and-generator",
  title: "Ingest, gateway and generator",
  description:
    "Incoming readings: accepted and rejected ones, the latency of the log, and the readings that the generator still holds.",
  rows: [
    {
      title: "Ingest: readings in",
      panels: [
        {
          kind: "lines",
          title: "Readings a second",
          description:
            "Accepted and rejected. One replica accepts about 100,000 a second with a core to itself. A flat line at the top: add a replica or a broker.",
          unit: "cps",
          queries: { "{{outcome}}": rate("devicemesh_ingest_readings_total", "outcome") },
        },
        {
          kind: "lines",
          title: "Rejected, by rule",
          description:
            "The sender receives the same rule id. timestamp rules: a device's clock is wrong. value rules: a sensor is broken, or a unit is wrong. device_id.identity: the certificate does not cover the device.",
          unit: "cps",
          stacked: true,
          queries: { "{{rule}}": rate("devicemesh_ingest_refused_readings_total", "rule") },
        },
        {
          kind: "lines",
          title: "Readings in a frame",
          description:
            "Larger frames cost less per reading. Below a few tens, clients send readings one by one, and throughput per core is far lower.",
          unit: "short",
          queries: {
            readings: `${rate("devicemesh_ingest_readings_total")} / (${rate("devicemesh_ingest_frames_total")} > 0)`,
          },
        },
        {
          kind: "lines",
          title: "Units a second",
          description:
            "A unit is a stream or a batch: acknowledged, failed as a whole, or abandoned by its client. Clients send failed units again; each reading counts once. Some fail at each restart. If there are more, see the log below.",
          unit: "cps",
          queries: { "{{outcome}}": rate("devicemesh_ingest_units_total", "outcome") },
        },
        {
          kind: "lines",
          title: "Readings of each replica",
          description:
            "New units go to the less busy replica. Envoy has excluded a replica that receives none: see Envoy, healthy replicas.",
          unit: "cps",
          queries: { "{{instance}}": rate("devicemesh_ingest_readings_total", "instance") },
        },
        {
          kind: "lines",
          title: "Frames a second",
          description: "Frames that ingest decodes. Increases with readings, or with smaller frames.",
          unit: "cps",
          queries: { frames: rate("devicemesh_ingest_frames_total") },
        },
        {
          kind: "lines",
          title: "Bytes a second",
          description:
            "Bytes of received frames. About 30 bytes a reading are normal; long device ids need more.",
          unit: "Bps",
          queries: { bytes: rate("devicemesh_ingest_frame_bytes_total") },
        },
        {
          kind: "lines",
          title: "Open units",
          description:
            "Streams and batches in progress, by replica. About one for each sender. Steady increase: the log does not answer, or clients never end their streams.",
          unit: "short",
          queries: { "{{instance}}": "devicemesh_ingest_open_units" },
        },
        {
          kind: "lines",
          title: "Bytes in a reading",
          description:
            "Bytes of a frame divided by its readings. A step is another version of a client, or other device ids.",
          unit: "bytes",
          queries: {
            bytes: `${rate("devicemesh_ingest_frame_bytes_total")} / (${rate("devicemesh_ingest_readings_total")} > 0)`,
          },
        },
      ],
    },
    {
      title: "Ingest: into the log",
      panels: [
        {
          kind: "lines",
          title: "Until it is durably stored in the log",
          description:
            "From an append to the acknowledgement of all in-sync brokers. Milliseconds are normal. Seconds: a broker is unavailable or slow, a leader is being elected, or disks are full.",
          unit: "s",
          bounds: { warning: 1, alarm: 5 },
          queries: Object.fromEntries(
            [0.5, 0.95, 0.99].map((share) => [
              `${share * 100} %`,
              quantile(share, "devicemesh_ingest_append_seconds"),
            ]),
          ),
        },
        {
          kind: "spread",
          title: "All appends",
          description:
            "Darker means more. A second band far above is one slow broker, or one slow partition.",
          unit: "s",
          query: buckets("devicemesh_ingest_append_seconds"),
        },
        {
          kind: "lines",
          title: "Waiting for the log",
          description:
            "Appended readings that are not yet acknowledged. The queue is bounded: when it is full, ingest stops reading and senders wait. Permanently high: the log is the bottleneck.",
          unit: "short",
          queries: { "{{instance}}": "devicemesh_ingest_waiting_readings" },
        },
        {
          kind: "lines",
          title: "Sends to the log, a second",
          description:
            "Requests to brokers. Failed ones are retried until the deadline of the append; they occur when a leader changes. Given up: the topic took too long, and the unit failed.",
          unit: "cps",
          queries: {
            "{{outcome}}": rate("devicemesh_ingest_log_sends_total", "outcome"),
            "given up": rate("devicemesh_ingest_append_timeouts_total"),
          },
        },
        {
          kind: "state",
          title: "The log, from each replica's view",
          description:
            "Unavailable: nothing is acknowledged, and senders keep their readings. One replica only: its network. All: the brokers, or fewer than two of them in sync.",
          unit: "short",
          states: { zero: "unavailable", one: "available", good: 1 },
          queries: { "{{instance}}": "devicemesh_ingest_log_reachable" },
        },
      ],
    },
    {
      title: "Gateway",
      panels: [
        {
          kind: "lines",
          title: "Readings a second",
          description:
            "Readings over HTTP and MQTT: stored, rejected by a rule, or not stored in time, so that the sender was asked to retry.",
          unit: "cps",
          queries: { "{{outcome}}": rate("devicemesh_gateway_readings_total", "outcome") },
        },
        {
          kind: "lines",
          title: "Waiting for ingest",
          description:
            "Readings that wait for ingest or are being sent, by replica. Increase: ingest is unavailable or too slow.",
          unit: "short",
          queries: { "{{instance}}": "devicemesh_gateway_waiting_readings" },
        },
        {
          kind: "lines",
          title: "Calls sent again",
          description:
            "Calls to ingest that failed and are repeated, a second. Some occur at each restart of ingest.",
          unit: "cps",
          queries: { calls: rate("devicemesh_gateway_failed_attempts_total") },
        },
        {
          kind: "state",
          title: "Ingest, from each gateway's view",
          description:
            "Unavailable: HTTP senders receive 503, MQTT senders no acknowledgement; both send again.",
          unit: "short",
          states: { zero: "unavailable", one: "available", good: 1 },
          queries: { "{{instance}}": "devicemesh_gateway_ingest_reachable" },
        },
        {
          kind: "lines",
          title: "MQTT connections",
          description:
            "Open connections of the broker. A sudden drop: network, certificate or broker restart.",
          unit: "short",
          queries: { "{{instance}}": "devicemesh_gateway_mqtt_connections" },
        },
        {
          kind: "lines",
          title: "MQTT messages a second",
          description:
            "Messages that devices published to the broker: with stored readings, with a rejected reading, or without readings. Many without: --mqtt-topics does not fit the topics.",
          unit: "cps",
          queries: { "{{outcome}}": rate("devicemesh_gateway_mqtt_messages_total", "outcome") },
        },
        {
          kind: "lines",
          title: "Bridged messages a second",
          description: "The same for messages of an existing broker (--mqtt-url). Empty without a bridge.",
          unit: "cps",
          queries: { "{{outcome}}": rate("devicemesh_gateway_bridged_messages_total", "outcome") },
        },
        {
          kind: "state",
          title: "Bridge",
          description:
            "Whether the gateway is subscribed to the existing broker, which keeps messages while it is not. Empty without a bridge.",
          unit: "short",
          states: { zero: "not subscribed", one: "subscribed", good: 1 },
          queries: { "{{instance}}": "devicemesh_gateway_bridge_connected" },
        },
      ],
    },
    {
      title: "Generator",
      panels: [
        {
          kind: "lines",
          title: "Readings a second",
          description:
            "Acknowledged should follow sent. Rejected readings are simulated on purpose (--invalid), or a device is configured beyond its bounds. Dropped: the outbox was full, and these readings are lost.",
          unit: "cps",
          queries: { "{{outcome}}": rate("devicemesh_generator_readings_total", "outcome") },
        },
        {
          kind: "lines",
          title: "In the outbox",
          description:
            "Readings that are not yet acknowledged. Those of one second are normal. Increase: ingest is unavailable or too slow. At 200,000 (--outbox-readings) they spill to disk, or new ones are dropped.",
          unit: "short",
          bounds: { warning: 100_000, alarm: 200_000 },
          queries: { readings: "sum by (instance) (devicemesh_generator_outbox_readings)" },
        },
        {
          kind: "lines",
          title: "Spilled to disk",
          description:
            "Bytes of the spill folder. Zero is normal; it empties by itself when ingest accepts readings again. At 1 GiB (--spill-bytes) new readings are dropped.",
          unit: "bytes",
          bounds: { warning: 512 * 1024 ** 2, alarm: 1024 ** 3 },
          queries: { bytes: "sum by (instance) (devicemesh_generator_outbox_spilled_bytes)" },
        },
        {
          kind: "lines",
          title: "Units sent again",
          description:
            "Failed deliveries that were retried, a second. Some occur at each restart of ingest or Envoy; a steady line is a unit that cannot be delivered.",
          unit: "cps",
          queries: { retries: rate("devicemesh_generator_delivery_retries_total") },
        },
        {
          kind: "lines",
          title: "Devices",
          description: "Number of simulated devices, as set by StartGenerator.",
          unit: "short",
          queries: { devices: "sum by (instance) (devicemesh_generator_devices)" },
        },
      ],
    },
  ],
};
