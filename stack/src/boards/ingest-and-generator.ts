import type { Board } from "./board.ts";
import { buckets, quantile, rate } from "./queries.ts";

/** Incoming readings: accepted and rejected ones, latency of the log, and readings that senders still hold. */
export const ingestAndGenerator: Board = {
  name: "ingest-and-generator",
  title: "Ingest and generator",
  description:
    "How readings come in: what ingest accepts and refuses, how long its log takes to hold them for good, and what the generator still holds.",
  rows: [
    {
      title: "Ingest: readings in",
      panels: [
        {
          kind: "lines",
          title: "Readings a second",
          description:
            "Accepted and refused. One replica takes about 100,000 a second on a core of its own; a line that is flat at the top asks for another replica or another broker.",
          unit: "cps",
          queries: { "{{outcome}}": rate("devicemesh_ingest_readings_total", "outcome") },
        },
        {
          kind: "lines",
          title: "Refused, by rule",
          description:
            "The rule's id is what the sender is told too. timestamp rules: a device's clock is wrong. value rules: a sensor is broken, or a unit is wrong. device_id.identity: the certificate does not cover the device.",
          unit: "cps",
          stacked: true,
          queries: { "{{rule}}": rate("devicemesh_ingest_refused_readings_total", "rule") },
        },
        {
          kind: "lines",
          title: "Readings in a frame",
          description:
            "More in a frame cost less each; below some tens, clients send one by one, and a core takes far fewer.",
          unit: "short",
          queries: {
            readings: `${rate("devicemesh_ingest_readings_total")} / (${rate("devicemesh_ingest_frames_total")} > 0)`,
          },
        },
        {
          kind: "lines",
          title: "Units a second",
          description:
            "A unit is a stream or a batch: acknowledged, failed as a whole, or abandoned by its client. Failed ones are sent again by their clients and count once; some fail at each restart. More than that: see the log below.",
          unit: "cps",
          queries: { "{{outcome}}": rate("devicemesh_ingest_units_total", "outcome") },
        },
        {
          kind: "lines",
          title: "Readings of each replica",
          description:
            "New units go to the less busy replica. One that gets none is left out by Envoy: see Envoy, healthy replicas.",
          unit: "cps",
          queries: { "{{instance}}": rate("devicemesh_ingest_readings_total", "instance") },
        },
        {
          kind: "lines",
          title: "Frames a second",
          description: "What ingest decodes. Rises with readings, or with smaller frames.",
          unit: "cps",
          queries: { frames: rate("devicemesh_ingest_frames_total") },
        },
        {
          kind: "lines",
          title: "Bytes a second",
          description:
            "Of frames, as they come. Some 30 bytes a reading are normal; ids as long as sentences cost more.",
          unit: "Bps",
          queries: { bytes: rate("devicemesh_ingest_frame_bytes_total") },
        },
        {
          kind: "lines",
          title: "Open units",
          description:
            "Streams and batches that have begun and not ended, by replica. About one for each sender. Climbs without an end: the log does not answer, or clients never end their streams.",
          unit: "short",
          queries: { "{{instance}}": "devicemesh_ingest_open_units" },
        },
        {
          kind: "lines",
          title: "Bytes in a reading",
          description:
            "Of a frame, by its readings. A step is another version of a client, or other device ids.",
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
          title: "Until the log has it for good",
          description:
            "From an append to the acknowledgement of every broker that must have it. Milliseconds are normal. Seconds: a broker is away or slow, a leader is being elected, disks are full.",
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
            "The darker, the more. A second band far above is one slow broker, or one slow partition.",
          unit: "s",
          query: buckets("devicemesh_ingest_append_seconds"),
        },
        {
          kind: "lines",
          title: "Waiting for the log",
          description:
            "Readings that were appended and are not yet acknowledged. Bounded: when it is full, ingest reads no further and senders wait. Stays high: the log is the bottleneck.",
          unit: "short",
          queries: { "{{instance}}": "devicemesh_ingest_waiting_readings" },
        },
        {
          kind: "lines",
          title: "Sends to the log, a second",
          description:
            "Requests to brokers. Failed ones are sent again while somebody waits; they come with a leader's change. Given up: the topic took too long, and the unit failed.",
          unit: "cps",
          queries: {
            "{{outcome}}": rate("devicemesh_ingest_log_sends_total", "outcome"),
            "given up": rate("devicemesh_ingest_append_timeouts_total"),
          },
        },
        {
          kind: "state",
          title: "The log, as each replica finds it",
          description:
            "Away: nothing is acknowledged, senders keep what they have. One replica alone: its network. All: the brokers, or fewer than two of them in sync.",
          unit: "short",
          states: { zero: "away", one: "there", good: 1 },
          queries: { "{{instance}}": "devicemesh_ingest_log_reachable" },
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
            "Acknowledged should follow sent. Refused ones are played on purpose (--invalid) or a device is configured beyond its bounds. Dropped: there was no room, these readings are lost.",
          unit: "cps",
          queries: { "{{outcome}}": rate("devicemesh_generator_readings_total", "outcome") },
        },
        {
          kind: "lines",
          title: "In the outbox",
          description:
            "Readings that are not yet acknowledged. A second's worth is normal. Grows: ingest is away or too slow. At 200,000 (--outbox-readings) they spill to disk, or new ones are dropped.",
          unit: "short",
          bounds: { warning: 100_000, alarm: 200_000 },
          queries: { readings: "sum by (instance) (devicemesh_generator_outbox_readings)" },
        },
        {
          kind: "lines",
          title: "Spilled to disk",
          description:
            "Bytes of the spill folder. Zero is normal; it empties by itself when ingest takes readings again. At 1 GiB (--spill-bytes) new readings are dropped.",
          unit: "bytes",
          bounds: { warning: 512 * 1024 ** 2, alarm: 1024 ** 3 },
          queries: { bytes: "sum by (instance) (devicemesh_generator_outbox_spilled_bytes)" },
        },
        {
          kind: "lines",
          title: "Units sent again",
          description:
            "Deliveries that broke and were tried again, a second. Some at each restart of ingest or Envoy; a steady line is a unit that cannot get through.",
          unit: "cps",
          queries: { retries: rate("devicemesh_generator_delivery_retries_total") },
        },
        {
          kind: "lines",
          title: "Devices",
          description: "How many devices it plays now, as StartGenerator was told.",
          unit: "short",
          queries: { devices: "sum by (instance) (devicemesh_generator_devices)" },
        },
      ],
    },
  ],
};
