import type { Board } from "./board.ts";
import { quantile, rate } from "./queries.ts";
import { failedShare, finestFrontierAge, ours } from "./shared-queries.ts";

/** The path of a reading, from the device to its window: the board to open first. */
export const meshAtAGlance: Board = {
  name: "mesh-at-a-glance",
  title: "Mesh at a glance",
  description:
    "Follows a reading from the device to its window. Delays shown here never make an answer wrong: answers become slower, or cover less of the most recent time.",
  rows: [
    {
      title: "Health",
      panels: [
        {
          kind: "figure",
          title: "Stored up to … ago",
          description:
            "Everything that was appended to the log before this is in the raw store, and therefore in every answer. A second or two is normal. If it increases, the raw sink or the aggregator's ticks have stopped: see Windows, sink lag and tasks.",
          unit: "s",
          queries: { stored: "min(devicemesh_aggregator_complete_through_age_seconds)" },
          bounds: { warning: 15, alarm: 60 },
        },
        {
          kind: "figure",
          title: "Windows closed up to … ago",
          description:
            "The frontier of the finest windows. 10 to 25 s are normal: it waits for the end of a segment, for Spark, for a sink and for the dead letters. If it increases, answers read more raw readings: slower, never wrong. The board Windows shows which of the four delays it.",
          unit: "s",
          queries: { frontier: finestFrontierAge },
          bounds: { warning: 60, alarm: 120 },
        },
        {
          kind: "figure",
          title: "Records waiting for a sink",
          description:
            "The longer of the two queues into the database. A few hundred are normal between batches. Thousands for a long time: a task has failed, or the database is slower than the input.",
          unit: "short",
          queries: { records: "max(devicemesh_operator_sink_lag_messages)" },
          bounds: { warning: 2_000, alarm: 10_000 },
        },
        {
          kind: "figure",
          title: "Calls that failed on our side",
          description:
            "Share of all calls in the last five minutes that ended with Unknown, Internal, Unavailable, DataLoss or DeadlineExceeded. Zero is normal. The board RPCs shows the method and the code; the service's log has the cause.",
          unit: "percentunit",
          queries: { failed: failedShare("5m") },
          bounds: { warning: 0.01, alarm: 0.05 },
        },
        {
          kind: "figure",
          title: "Invalid dead letters in the last hour",
          description:
            "Records of the log that are neither readings nor duplicates. Ingest writes none: another client has written to the topic, or a component is broken. The collection dead_letters has them with the reason.",
          unit: "short",
          queries: {
            invalid: `sum(increase(devicemesh_operator_dead_letters_total{reason="invalid"}[1h]))`,
          },
          bounds: { alarm: 1 },
        },
        {
          kind: "figure",
          title: "Problems that the mesh reports",
          description:
            "Current problems of operator and aggregator. GetPipelineStatus describes each. Some are normal for a minute after a restart.",
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
            "Targets that Prometheus cannot scrape. One for a few seconds is a restart; the alert TargetDown names it.",
          unit: "short",
          queries: { down: "count(up == 0) or vector(0)" },
          bounds: { warning: 1, alarm: 2 },
        },
        {
          kind: "figure",
          title: "Alerts",
          description: "Firing alerts. Prometheus' page /alerts has the meaning of each and the action.",
          unit: "short",
          queries: { firing: `count(ALERTS{alertstate="firing"}) or vector(0)` },
          bounds: { alarm: 1 },
        },
      ],
    },
    {
      title: "The path of a reading",
      panels: [
        {
          kind: "lines",
          title: "1  Sent, accepted, counted: readings a second",
          description:
            "The same readings at three places; the lines should overlap. Accepted above sent: other devices send too. Counted below accepted for a long time: the window job falls behind. Accepted falls to zero while sent continues: ingest or its log is unavailable.",
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
            "The number of readings waiting at each place, in the order of the path. Nothing is lost in any of them. The first one that increases is the bottleneck; those after it become empty.",
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
            "Stored: everything earlier is in the raw store. A level: everything earlier is in its windows. The age of a level is about the length of its segments, so an hour or a day is normal for the coarse ones. A straight line upwards is a component that has stopped.",
          unit: "s",
          logarithmic: true,
          queries: {
            stored: "min(devicemesh_aggregator_complete_through_age_seconds)",
            "windows of {{level}}": "min by (level) (devicemesh_aggregator_frontier_age_seconds)",
          },
        },
        {
          kind: "lines",
          title: "Rejected by ingest",
          description:
            "Readings a second that ingest rejects, by rule. Their senders receive the reason; nothing else is affected. A step up is a type or version of device that sends invalid readings, or a certificate that does not cover its devices.",
          unit: "cps",
          stacked: true,
          queries: { "{{rule}}": rate("devicemesh_ingest_refused_readings_total", "rule") },
        },
        {
          kind: "lines",
          title: "Rejected by the raw store",
          description:
            "Dead letters a second, by their kind. Redeliveries follow restarts. Duplicates and conflicts are readings that were sent twice: they are counted and harmless, and their windows are repaired. There should be no invalid ones.",
          unit: "cps",
          stacked: true,
          queries: { "{{reason}}": rate("devicemesh_operator_dead_letters_total", "reason") },
        },
        {
          kind: "lines",
          title: "Latency of queries",
          description:
            "Calls of QueryService without watches: p50, p95 and p99. Increases with the lag of the windows (panel 3), with large timeframes, and with dirty windows; if it is none of these, check the database.",
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
      title: "Callers",
      panels: [
        {
          kind: "lines",
          title: "Calls a second",
          description:
            "Completed calls, by service. A fall to zero of a service with constant traffic is an outage.",
          unit: "reqps",
          queries: { "{{grpc_service}}": rate(`grpc_server_handled_total${ours}`, "grpc_service") },
        },
        {
          kind: "lines",
          title: "Open calls",
          description:
            "Open streams of units, watches and queries. Increases with the fleet; an increase without more devices is a slow component.",
          unit: "short",
          queries: { "{{grpc_service}}": `sum by (grpc_service) (grpc_server_in_flight${ours})` },
        },
        {
          kind: "lines",
          title: "Connections at the front door",
          description: "Connections of users, of devices and, on one machine, of the plain listener.",
          unit: "short",
          queries: {
            "{{envoy_http_conn_manager_prefix}}": `sum by (envoy_http_conn_manager_prefix) (envoy_http_downstream_cx_active{envoy_http_conn_manager_prefix!~"admin|metrics"})`,
          },
        },
      ],
    },
  ],
};
