import type { Board } from "./board.ts";
import { quantile, rate } from "./queries.ts";
import { failedShare, finestFrontierAge, ours } from "./shared-queries.ts";

/** The path of a reading, from the device to its window: the first board to look at. */
export const meshAtAGlance: Board = {
  name: "mesh-at-a-glance",
  title: "Mesh at a glance",
  description:
    "Follows a reading from the device to its window. Answers stay exact whatever is late here; what is late makes them slower or lets them end earlier.",
  rows: [
    {
      title: "Is all well?",
      panels: [
        {
          kind: "figure",
          title: "Stored up to … ago",
          description:
            "Everything that the log took before this is in the raw store, so it is in every answer. A second or two is normal. When it grows, the raw sink or the aggregator's ticks stand still: see Windows, sink lag and tasks.",
          unit: "s",
          queries: { stored: "min(devicemesh_aggregator_complete_through_age_seconds)" },
          bounds: { warning: 15, alarm: 60 },
        },
        {
          kind: "figure",
          title: "Windows closed up to … ago",
          description:
            "The frontier of the finest windows. 10 to 25 s are normal: a segment must end, then Spark, a sink and the dead letters are waited for. When it grows, answers read more raw readings: slower, never wrong. Windows tells which of the four holds it.",
          unit: "s",
          queries: { frontier: finestFrontierAge },
          bounds: { warning: 60, alarm: 120 },
        },
        {
          kind: "figure",
          title: "Records that wait for a sink",
          description:
            "The longer of the two queues into the database. Some hundreds come and go with each batch. Thousands that stay: a task has failed, or the database takes less than comes in.",
          unit: "short",
          queries: { records: "max(devicemesh_operator_sink_lag_messages)" },
          bounds: { warning: 2_000, alarm: 10_000 },
        },
        {
          kind: "figure",
          title: "Calls that fail by our fault",
          description:
            "Share of all calls in the last five minutes that ended with Unknown, Internal, Unavailable, DataLoss or DeadlineExceeded. Zero is normal. RPCs tells which method and which code; the service's log tells why.",
          unit: "percentunit",
          queries: { failed: failedShare("5m") },
          bounds: { warning: 0.01, alarm: 0.05 },
        },
        {
          kind: "figure",
          title: "Invalid dead letters in the last hour",
          description:
            "Records of the log that are no reading and no repeat of one. Ingest writes none: somebody else has written to the topic, or a part is broken. The collection dead_letters holds them with the reason.",
          unit: "short",
          queries: {
            invalid: `sum(increase(devicemesh_operator_dead_letters_total{reason="invalid"}[1h]))`,
          },
          bounds: { alarm: 1 },
        },
        {
          kind: "figure",
          title: "What the mesh itself finds wrong",
          description:
            "Problems that operator and aggregator see now. GetPipelineStatus names each in words. Some for a minute after a restart are normal.",
          unit: "short",
          queries: {
            problems: "max(devicemesh_operator_problems) + max(devicemesh_aggregator_problems)",
          },
          bounds: { warning: 1, alarm: 3 },
        },
        {
          kind: "figure",
          title: "Processes that do not answer",
          description:
            "Targets of Prometheus that cannot be asked. One for some seconds is a restart; the alert TargetDown names it.",
          unit: "short",
          queries: { down: "count(up == 0) or vector(0)" },
          bounds: { warning: 1, alarm: 2 },
        },
        {
          kind: "figure",
          title: "Alerts",
          description: "Alerts that fire now. Prometheus' page /alerts says what each means and what to do.",
          unit: "short",
          queries: { firing: `count(ALERTS{alertstate="firing"}) or vector(0)` },
          bounds: { alarm: 1 },
        },
      ],
    },
    {
      title: "The way of a reading",
      panels: [
        {
          kind: "lines",
          title: "1  Sent, accepted, counted: readings a second",
          description:
            "The same readings at three places; the lines should lie on each other. Accepted above sent: other devices send too. Counted below accepted for long: the window job falls behind. Accepted falls to zero while sent goes on: ingest or its log is away.",
          unit: "cps",
          queries: {
            "sent by the generator": rate(`devicemesh_generator_readings_total{outcome="sent"}`),
            "accepted by ingest": rate(`devicemesh_ingest_readings_total{outcome="accepted"}`),
            "taken by the window job (with ticks)": rate("devicemesh_aggregator_window_job_rows_total"),
          },
        },
        {
          kind: "lines",
          title: "2  Where readings wait",
          description:
            "How many wait at each place, in the order of the way. Nothing is lost in any of them. The first one that grows is where the trouble is; those behind it run dry.",
          unit: "short",
          logarithmic: true,
          queries: {
            "outbox of the generator": "sum(devicemesh_generator_outbox_readings)",
            "ingest, for the log": "sum(devicemesh_ingest_waiting_readings)",
            "sink {{connector}}": "max by (connector) (devicemesh_operator_sink_lag_messages)",
            "window job": "max(devicemesh_aggregator_window_job_lag_messages)",
            "reader of dead letters": "max(devicemesh_operator_dead_letter_lag_messages)",
          },
        },
        {
          kind: "lines",
          title: "3  How fresh: seconds behind",
          description:
            "Stored: everything before is in the raw store. A level: everything before is in its windows for good; a level is as old as its segments are long, so an hour or a day is normal for the coarse ones. A straight line upwards is a part that stands still.",
          unit: "s",
          logarithmic: true,
          queries: {
            stored: "min(devicemesh_aggregator_complete_through_age_seconds)",
            "windows of {{level}}": "min by (level) (devicemesh_aggregator_frontier_age_seconds)",
          },
        },
        {
          kind: "lines",
          title: "Refused at the door",
          description:
            "Readings a second that ingest lists as refused, by the rule. Their senders are told; nothing else is affected. A step up is a kind of device or a version that sends nonsense, or a certificate that does not cover its devices.",
          unit: "cps",
          stacked: true,
          queries: { "{{rule}}": rate("devicemesh_ingest_refused_readings_total", "rule") },
        },
        {
          kind: "lines",
          title: "Refused by the raw store",
          description:
            "Dead letters a second, by the operator's judgement. Redeliveries come with restarts. Duplicates and conflicts are readings that were sent twice: counted, harmless, their windows are repaired. Invalid ones should not be.",
          unit: "cps",
          stacked: true,
          queries: { "{{reason}}": rate("devicemesh_operator_dead_letters_total", "reason") },
        },
        {
          kind: "lines",
          title: "Questions: how long they take",
          description:
            "Calls of QueryService without watches, 50, 95 and 99 of a hundred. Rises with the tail (panel 3), with large timeframes, and with dirty windows; if none of these, look at the database.",
          unit: "s",
          queries: Object.fromEntries(
            [0.5, 0.95, 0.99].map((share) => [
              `${share * 100} %`,
              quantile(
                share,
                `grpc_server_handling_seconds{grpc_service="devicemesh.v1.QueryService", grpc_type="unary"}`,
              ),
            ]),
          ),
        },
      ],
    },
    {
      title: "Who asks and who sends",
      panels: [
        {
          kind: "lines",
          title: "Calls a second",
          description:
            "Calls that ended, by service. A fall to zero of one that is always asked is an outage.",
          unit: "reqps",
          queries: { "{{grpc_service}}": rate(`grpc_server_handled_total${ours}`, "grpc_service") },
        },
        {
          kind: "lines",
          title: "Open calls",
          description:
            "Streams of units, watches and questions that are open. Grows with the fleet; growth without more devices is a part that answers slowly.",
          unit: "short",
          queries: { "{{grpc_service}}": `sum by (grpc_service) (grpc_server_in_flight${ours})` },
        },
        {
          kind: "lines",
          title: "Connections at the front door",
          description: "Of people, devices and, on one machine, the plain listener.",
          unit: "short",
          queries: {
            "{{envoy_http_conn_manager_prefix}}": `sum by (envoy_http_conn_manager_prefix) (envoy_http_downstream_cx_active{envoy_http_conn_manager_prefix!~"admin|metrics"})`,
          },
        },
      ],
    },
  ],
};
