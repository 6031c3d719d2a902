import { defineMetrics, type MetricSample, type Metrics } from "@devicemesh/kit/observability/metrics";
import { type DeadLetterKind, deadLetterKinds, type OperatorStatusDocument } from "@devicemesh/pipeline";

/** The states of a task that Kafka Connect reports, and one for states that later versions may add. */
export const taskStates = [
  "RUNNING",
  "FAILED",
  "PAUSED",
  "RESTARTING",
  "STOPPED",
  "UNASSIGNED",
  "OTHER",
] as const;

const connectorLabel = "the sinks of the mesh, by their connectors' names";

/** The values that the metrics export. */
export const operatorMetrics = defineMetrics({
  problems: {
    name: "devicemesh_operator_problems",
    type: "gauge",
    unit: "problems",
    help: "Number of problems in the status; absent before the first observation",
  },
  sinkLag: {
    name: "devicemesh_operator_sink_lag_messages",
    type: "gauge",
    unit: "messages",
    help: "Records of its topic that the sink has not stored; absent before the first observation",
    labels: { connector: connectorLabel },
  },
  connectorRunning: {
    name: "devicemesh_operator_connector_running",
    type: "gauge",
    unit: "0 or 1",
    help: "Whether the connector itself runs, regardless of its tasks",
    labels: { connector: connectorLabel },
  },
  connectorTasks: {
    name: "devicemesh_operator_connector_tasks",
    type: "gauge",
    unit: "tasks",
    help: "Tasks of the sink by their state",
    labels: { connector: connectorLabel, state: taskStates },
  },
  taskRestarts: {
    name: "devicemesh_operator_task_restarts_total",
    type: "counter",
    unit: "restarts",
    help: "Restarts of failed tasks and connectors of the sink by the operator",
    labels: { connector: connectorLabel },
  },
  deadLetters: {
    name: "devicemesh_operator_dead_letters_total",
    type: "counter",
    unit: "records",
    help: "Records that a sink rejected, as classified when they were read: duplicates, conflicts, redeliveries, or invalid",
    labels: { reason: deadLetterKinds },
  },
  deadLetterLag: {
    name: "devicemesh_operator_dead_letter_lag_messages",
    type: "gauge",
    unit: "messages",
    help: "Unread dead letters; absent before the first observation",
  },
  sparkMaster: {
    name: "devicemesh_operator_spark_master_reachable",
    type: "gauge",
    unit: "0 or 1",
    help: "Whether Spark's master accepts connections; absent without --spark-master",
  },
});

/** Returns the result of the last poll; undefined before the first. */
export type OperatorObservation = Omit<OperatorStatusDocument, "_id" | "updated"> | undefined;

/** Registers the metrics of the operator. */
export function registerOperatorMetrics(
  metrics: Metrics,
  options: {
    readonly connectors: readonly string[];
    readonly observation: () => OperatorObservation;
    readonly deadLetters: () => Readonly<Record<DeadLetterKind, number>>;
    /** Left out if no master is watched. */
    readonly isSparkMasterReachable?: (() => boolean | undefined) | undefined;
  },
): void {
  const { connectors, observation } = options;
  type Connector = OperatorStatusDocument["connectors"][number];
  function each(read: (connector: Connector) => number): readonly MetricSample[] {
    return (observation()?.connectors ?? []).map((connector) => ({
      labels: { connector: connector.name },
      value: read(connector),
    }));
  }
  metrics.register(operatorMetrics, {
    problems: () => observation()?.problems.length,
    sinkLag: () => each(({ lag }) => lag),
    connectorRunning: () => each(({ state }) => Number(state === "RUNNING")),
    connectorTasks: () =>
      (observation()?.connectors ?? []).flatMap(({ name, tasks }) =>
        taskStates.map((state) => ({
          labels: { connector: name, state },
          value: tasks.filter((task) => knownState(task.state) === state).length,
        })),
      ),
    taskRestarts() {
      const restarts = new Map(
        observation()?.connectors.map((connector) => [connector.name, connector.restarts]),
      );
      return connectors.map((connector) => ({
        labels: { connector },
        value: restarts.get(connector) ?? 0,
      }));
    },
    deadLetters() {
      const counts = options.deadLetters();
      return deadLetterKinds.map((reason) => ({ labels: { reason }, value: counts[reason] }));
    },
    deadLetterLag: () => observation()?.dead_letter_lag,
    sparkMaster() {
      const isReachable = options.isSparkMasterReachable?.();
      return isReachable === undefined ? undefined : Number(isReachable);
    },
  });
}

function knownState(state: string): (typeof taskStates)[number] {
  return taskStates.find((known) => known === state) ?? "OTHER";
}
