import type { Board } from "./board.ts";
import { quantile, rate } from "./queries.ts";

/** The parts that fold readings into windows, and the rejections of the sinks: aggregator, window job, operator. */
export const windows: Board = {
  name: "windows",
  title: "Windows",
  description:
    "The aggregator and its job on Spark, the operator and the sinks of Kafka Connect: their progress, and the causes of delays. Nothing shown here can make an answer wrong.",
  rows: [
    {
      title: "Progress",
      panels: [
        {
          kind: "lines",
          title: "Behind, by level",
          description:
            "Age of each level's frontier, and of the stored readings. The finest level: 10 to 25 s. Coarser ones: a little more than the length of their segments. A straight line upwards: it has stopped; the cause is the first of sink lag, window job and dead-letter reader that is not near zero.",
          unit: "s",
          logarithmic: true,
          queries: {
            stored: "min(devicemesh_aggregator_complete_through_age_seconds)",
            "windows of {{level}}": "min by (level) (devicemesh_aggregator_frontier_age_seconds)",
          },
        },
        {
          kind: "lines",
          title: "Waiting records",
          description:
            "By sink, window job and reader of dead letters. A queue that grows while the sink's tasks run: the database is slow, or there are fewer tasks than partitions.",
          unit: "short",
          logarithmic: true,
          queries: {
            "sink {{connector}}": "max by (connector) (devicemesh_operator_sink_lag_messages)",
            "window job": "max(devicemesh_aggregator_window_job_lag_messages)",
            "reader of dead letters": "max(devicemesh_operator_dead_letter_lag_messages)",
          },
        },
        {
          kind: "state",
          title: "Active aggregator",
          description:
            "One aggregator is active, others are standbys. None for longer than a minute: windows do not advance. Two for longer than a moment do not affect answers, but are a fault: check the lease in the database.",
          unit: "short",
          states: { zero: "in reserve", one: "active", good: "both" },
          queries: { "{{instance}}": "devicemesh_aggregator_active" },
        },
      ],
    },
    {
      title: "The window job on Spark",
      panels: [
        {
          kind: "state",
          title: "Spark's master",
          description:
            "Whether it accepts connections; no value where Spark has no cluster. Without it the job continues, but parts that stop are not replaced.",
          unit: "short",
          states: { zero: "unreachable", one: "reachable", good: 1 },
          queries: { master: "max(devicemesh_operator_spark_master_reachable)" },
        },
        {
          kind: "lines",
          title: "Rows a second",
          description:
            "Rows that Spark read from the log, including ticks (one a second for each partition). After a cold start it reads about 17,000 a second with each core.",
          unit: "cps",
          queries: { rows: rate("devicemesh_aggregator_window_job_rows_total") },
        },
        {
          kind: "lines",
          title: "Duration of a batch",
          description:
            "p95 and median. About a second if Spark has a core, two to five if it shares one. Longer than a segment: windows fall behind; give Spark more cores.",
          unit: "s",
          bounds: { warning: 5, alarm: 10 },
          queries: {
            "95 %": quantile(0.95, "devicemesh_aggregator_window_job_batch_seconds"),
            "50 %": quantile(0.5, "devicemesh_aggregator_window_job_batch_seconds"),
          },
        },
        {
          kind: "lines",
          title: "Batches a second",
          description:
            "Zero: the job has stopped. Its error is in GetWindowJobStatus and in the aggregator's log.",
          unit: "cps",
          queries: { batches: rate("devicemesh_aggregator_window_job_batches_total") },
        },
        {
          kind: "lines",
          title: "Open partials in Spark",
          description:
            "One for each series and window with readings in a segment that has not closed. Increases with the fleet and with late readings. Steady increase: the watermark does not move, because a partition receives no ticks.",
          unit: "short",
          queries: { partials: "max(devicemesh_aggregator_window_job_state_rows)" },
        },
        {
          kind: "lines",
          title: "Restarts in the last hour",
          description:
            "The job is restarted from its checkpoint whenever it fails. A single restart is not a problem. A staircase: the failure is permanent; the last error names it.",
          unit: "short",
          bounds: { warning: 1, alarm: 3 },
          queries: { restarts: "sum(increase(devicemesh_aggregator_window_job_restarts_total[1h]))" },
        },
        {
          kind: "lines",
          title: "Rows that Spark dropped",
          description:
            "Since the start. Above zero, the clock of a broker stepped back: the windows of these rows are answered from raw readings until they are repaired. The alert WindowJobDroppedRows describes what to do.",
          unit: "short",
          bounds: { alarm: 1 },
          queries: { rows: "sum(devicemesh_aggregator_window_job_rows_dropped_total)" },
        },
        {
          kind: "lines",
          title: "Windows with duplicates",
          description:
            "Dirty windows wait for their repair and are answered from raw readings meanwhile. Increase: more windows get duplicates than can be repaired (4,000 a step); see dead letters by kind.",
          unit: "short",
          queries: { dirty: "max(devicemesh_aggregator_dirty_windows)" },
        },
        {
          kind: "lines",
          title: "Windows repaired a second",
          description:
            "Follows the dirty windows. Zero while windows are dirty: the frontier does not move, or raw readings have expired.",
          unit: "cps",
          queries: { repairs: rate("devicemesh_aggregator_repairs_total") },
        },
      ],
    },
    {
      title: "Sinks and dead letters",
      panels: [
        {
          kind: "lines",
          title: "Tasks, by sink and state",
          description:
            "All should be RUNNING. The operator restarts FAILED ones, with growing delays; if they stay failed, see Connect's log. UNASSIGNED for a few seconds is a rebalance.",
          unit: "short",
          queries: {
            "{{connector}} {{state}}": "max by (connector, state) (devicemesh_operator_connector_tasks)",
          },
        },
        {
          kind: "state",
          title: "State of the sinks",
          description:
            "A connector may run while its tasks have failed, so check both. Not running: a user paused or stopped it, or Connect has just lost a worker.",
          unit: "short",
          states: { zero: "does not run", one: "runs", good: 1 },
          queries: { "{{connector}}": "max by (connector) (devicemesh_operator_connector_running)" },
        },
        {
          kind: "lines",
          title: "Problems of operator and aggregator",
          description:
            "Current problems that each reports; GetPipelineStatus describes them. Some are normal for a minute after a restart.",
          unit: "short",
          bounds: { warning: 1, alarm: 3 },
          queries: {
            operator: "max(devicemesh_operator_problems)",
            aggregator: "max(devicemesh_aggregator_problems)",
          },
        },
        {
          kind: "lines",
          title: "Tasks restarted in the last hour",
          description:
            "Some follow an outage of an engine. Steady increase: a task fails again at once, on the same record or the same database.",
          unit: "short",
          bounds: { warning: 3, alarm: 20 },
          queries: {
            "{{connector}}": "sum by (connector) (increase(devicemesh_operator_task_restarts_total[1h]))",
          },
        },
        {
          kind: "lines",
          title: "Dead letters a second, by kind",
          description:
            "redelivery: the same record again, after a restart. duplicate, conflict: a reading was sent twice, with the same or another value. invalid: not a reading; see the collection dead_letters.",
          unit: "cps",
          stacked: true,
          queries: { "{{reason}}": rate("devicemesh_operator_dead_letters_total", "reason") },
        },
      ],
    },
    {
      title: "Reads of query",
      panels: [
        {
          kind: "lines",
          title: "Readings covered by answers, a second",
          description:
            "From windows, or added up from raw readings by the database. Raw increases if the frontier is old, windows are dirty, or timeframes do not align with windows; it makes queries slow.",
          unit: "cps",
          queries: { "{{source}}": rate("devicemesh_query_readings_covered_total", "source") },
        },
        {
          kind: "lines",
          title: "Rows read from the database, a second",
          description:
            "Partials, one for each series and bucket of a query, and raw readings of lists. Many partials: queries of many series or small buckets.",
          unit: "cps",
          queries: { "{{source}}": rate("devicemesh_query_rows_read_total", "source") },
        },
        {
          kind: "state",
          title: "The store, from each replica's view",
          description:
            "Unavailable: query returns UNAVAILABLE. One replica only: its network. All: the database has no primary, or is down.",
          unit: "short",
          states: { zero: "unavailable", one: "available", good: 1 },
          queries: { "{{instance}}": "devicemesh_query_store_reachable" },
        },
        {
          kind: "lines",
          title: "Watches",
          description:
            "Open calls of WatchAggregates. Equal ones share one read of the store, when something has changed.",
          unit: "short",
          queries: { "{{instance}}": "devicemesh_query_watchers" },
        },
      ],
    },
  ],
};
