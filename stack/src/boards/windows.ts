import type { Board } from "./board.ts";
import { quantile, rate } from "./queries.ts";

/** The parts that fold readings into windows, and the rejections of the sinks: aggregator, window job, operator. */
export const windows: Board = {
  name: "windows",
  title: "Windows",
  description:
    "The aggregator and its job on Spark, the operator and the sinks of Kafka Connect: how far they are, and what holds them. Nothing here can make an answer wrong.",
  rows: [
    {
      title: "How far",
      panels: [
        {
          kind: "lines",
          title: "Behind, by level",
          description:
            "Age of each level's frontier, and of what is stored. The finest level: 10 to 25 s. Coarser ones as long as their segments, and a little. Rises as a straight line: it stands still; what holds it is the first of sink lag, window job, dead-letter reader that is not near zero.",
          unit: "s",
          logarithmic: true,
          queries: {
            stored: "min(devicemesh_aggregator_complete_through_age_seconds)",
            "windows of {{level}}": "min by (level) (devicemesh_aggregator_frontier_age_seconds)",
          },
        },
        {
          kind: "lines",
          title: "Records that wait",
          description:
            "By sink, window job and reader of dead letters. A sink that grows while its tasks run: the database is slow, or there are fewer tasks than partitions.",
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
          title: "Who is active",
          description:
            "One aggregator is active, others wait in reserve. None for longer than a minute: windows stand still. Two for longer than a moment is harmless for the answers, and should not be: see the lease in the database.",
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
            "Whether it accepts connections; no value where Spark has no cluster. Without it the job goes on, and nothing that ends is replaced.",
          unit: "short",
          states: { zero: "unreachable", one: "reachable", good: 1 },
          queries: { master: "max(devicemesh_operator_spark_master_reachable)" },
        },
        {
          kind: "lines",
          title: "Rows a second",
          description:
            "What Spark took from the log, ticks included (one a second and partition). A cold start takes some 17,000 a second and core.",
          unit: "cps",
          queries: { rows: rate("devicemesh_aggregator_window_job_rows_total") },
        },
        {
          kind: "lines",
          title: "A batch takes",
          description:
            "95 of a hundred batches, and half of them. About a second where Spark has a core, two to five where it shares one. Longer than a segment: windows come later and later; give Spark cores.",
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
            "Falls to zero: the job stands still. Its error is in GetWindowJobStatus and in the aggregator's log.",
          unit: "cps",
          queries: { batches: rate("devicemesh_aggregator_window_job_batches_total") },
        },
        {
          kind: "lines",
          title: "Partials that are open in Spark",
          description:
            "One for each series and window that got readings in a segment that is not over. Grows with the fleet and with what comes late; grows without an end while the watermark stands still: a partition gets no ticks.",
          unit: "short",
          queries: { partials: "max(devicemesh_aggregator_window_job_state_rows)" },
        },
        {
          kind: "lines",
          title: "Started again in the last hour",
          description:
            "The job is started again from its checkpoint whenever it fails. One is an accident. A staircase: it cannot get past something; the last error says what.",
          unit: "short",
          bounds: { warning: 1, alarm: 3 },
          queries: { restarts: "sum(increase(devicemesh_aggregator_window_job_restarts_total[1h]))" },
        },
        {
          kind: "lines",
          title: "Rows that Spark dropped",
          description:
            "Since the start. Above zero, the clock of a broker stepped back: the windows of these rows are answered from raw readings until they are repaired. The alert WindowJobDroppedRows says what to do.",
          unit: "short",
          bounds: { alarm: 1 },
          queries: { rows: "sum(devicemesh_aggregator_window_job_rows_dropped_total)" },
        },
        {
          kind: "lines",
          title: "Windows with repeats",
          description:
            "Dirty windows wait for their repair and are answered from raw readings meanwhile. Grows: more is sent twice than can be repaired (4,000 a step); see dead letters by judgement.",
          unit: "short",
          queries: { dirty: "max(devicemesh_aggregator_dirty_windows)" },
        },
        {
          kind: "lines",
          title: "Windows repaired a second",
          description:
            "Follows the dirty windows. Zero while windows are dirty: the frontier stands still, or raw readings have expired.",
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
            "All should be RUNNING. FAILED ones are restarted by the operator, later and later; those that stay so need a look at Connect's log. UNASSIGNED for some seconds is a rebalance.",
          unit: "short",
          queries: {
            "{{connector}} {{state}}": "max by (connector, state) (devicemesh_operator_connector_tasks)",
          },
        },
        {
          kind: "state",
          title: "The sinks themselves",
          description:
            "A connector may run while its tasks have failed, so look at both. Not running: somebody paused or stopped it, or Connect has just lost a worker.",
          unit: "short",
          states: { zero: "does not run", one: "runs", good: 1 },
          queries: { "{{connector}}": "max by (connector) (devicemesh_operator_connector_running)" },
        },
        {
          kind: "lines",
          title: "Found wrong by operator and aggregator",
          description:
            "How many problems each sees now; GetPipelineStatus names them in words. Some for a minute after a restart are normal.",
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
            "Some after an engine was away. A steady climb: a task fails again at once, on the same record or the same database.",
          unit: "short",
          bounds: { warning: 3, alarm: 20 },
          queries: {
            "{{connector}}": "sum by (connector) (increase(devicemesh_operator_task_restarts_total[1h]))",
          },
        },
        {
          kind: "lines",
          title: "Dead letters a second, by judgement",
          description:
            "redelivery: the same record again, after a restart. duplicate, conflict: a reading was sent twice, with the same or another value. invalid: no reading at all; look into dead_letters.",
          unit: "cps",
          stacked: true,
          queries: { "{{reason}}": rate("devicemesh_operator_dead_letters_total", "reason") },
        },
      ],
    },
    {
      title: "What query reads",
      panels: [
        {
          kind: "lines",
          title: "Readings that answers stand for, a second",
          description:
            "Taken from windows, or added up from raw ones by the database. Raw rises when the frontier is old, windows are dirty, or timeframes have ragged edges; it is what makes questions slow.",
          unit: "cps",
          queries: { "{{source}}": rate("devicemesh_query_readings_covered_total", "source") },
        },
        {
          kind: "lines",
          title: "Rows that the database gives, a second",
          description:
            "Partials, one for each series and bucket of a question, and raw readings of lists. Many partials: questions for many series or small buckets.",
          unit: "cps",
          queries: { "{{source}}": rate("devicemesh_query_rows_read_total", "source") },
        },
        {
          kind: "state",
          title: "The store, as each replica finds it",
          description:
            "Away: query says UNAVAILABLE. One alone: its network. All: the database has no primary, or is down.",
          unit: "short",
          states: { zero: "away", one: "there", good: 1 },
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
