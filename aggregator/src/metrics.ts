import { defineMetrics, type Metrics } from "@devicemesh/kit/observability/metrics";
import type { AggregatorView } from "./service.ts";
import type { BatchProgress } from "./window-job/window-job-progress.ts";

/** The values that the metrics export. Values that only the leader knows are absent, or constant, on a standby. */
export const aggregatorMetrics = defineMetrics({
  active: {
    name: "devicemesh_aggregator_active",
    type: "gauge",
    unit: "0 or 1",
    help: "Whether this aggregator is the leader; 1 for one of all aggregators",
  },
  problems: {
    name: "devicemesh_aggregator_problems",
    type: "gauge",
    unit: "problems",
    help: "Number of problems that GetWindowJobStatus reports; 0 if there are none",
  },
  frontierAge: {
    name: "devicemesh_aggregator_frontier_age_seconds",
    type: "gauge",
    unit: "seconds",
    help: "Age of the frontier of each level; absent before the level's first fold",
    labels: { level: "size of its windows: 10s, 10min, 1day" },
  },
  completeThroughAge: {
    name: "devicemesh_aggregator_complete_through_age_seconds",
    type: "gauge",
    unit: "seconds",
    help: "Age of the moment before which every reading is stored; absent before it is known",
  },
  batches: {
    name: "devicemesh_aggregator_window_job_batches_total",
    type: "counter",
    unit: "batches",
    help: "Batches of the window job that the aggregator observed",
  },
  rows: {
    name: "devicemesh_aggregator_window_job_rows_total",
    type: "counter",
    unit: "messages",
    help: "Messages that those batches took from the log, ticks included",
  },
  rowsDropped: {
    name: "devicemesh_aggregator_window_job_rows_dropped_total",
    type: "counter",
    unit: "messages",
    help: "Messages, or groups of them, that came behind the watermark since a broker's clock stepped back: their windows are marked",
  },
  lag: {
    name: "devicemesh_aggregator_window_job_lag_messages",
    type: "gauge",
    unit: "messages",
    help: "Messages of the log that the window job has not taken",
  },
  stateRows: {
    name: "devicemesh_aggregator_window_job_state_rows",
    type: "gauge",
    unit: "partials",
    help: "Open partials in Spark's state",
  },
  restarts: {
    name: "devicemesh_aggregator_window_job_restarts_total",
    type: "counter",
    unit: "restarts",
    help: "Restarts of the window job",
  },
  repairs: {
    name: "devicemesh_aggregator_repairs_total",
    type: "counter",
    unit: "windows",
    help: "Windows with duplicates that were recomputed from their raw readings",
  },
  dirtyWindows: {
    name: "devicemesh_aggregator_dirty_windows",
    type: "gauge",
    unit: "windows",
    help: "Windows with duplicates that the last search found and no repair covers yet",
  },
  batchSeconds: {
    name: "devicemesh_aggregator_window_job_batch_seconds",
    type: "histogram",
    unit: "seconds",
    help: "Duration of those batches",
    buckets: [0.1, 0.25, 0.5, 1, 1.5, 2, 3, 5, 10, 20, 30, 60, 120],
  },
});

/** Registers the metrics of an aggregator; `onBatch` takes each batch of the window job. */
export function registerAggregatorMetrics(
  metrics: Metrics,
  { view, clock }: { readonly view: () => AggregatorView; readonly clock: () => number },
): { readonly onBatch: (batch: BatchProgress) => void } {
  const totals = { batches: 0, rows: 0, rowsDropped: 0 };
  const ageOf = (ms: number | undefined) => (ms ? (clock() - ms) / 1000 : undefined);
  const { batchSeconds } = metrics.register(aggregatorMetrics, {
    active: () => Number(view().active !== undefined),
    problems: () => view().problems.length,
    frontierAge() {
      const { active, published, levels } = view();
      const frontiersMs = active?.progress.frontiersMs ?? published?.frontiersMs ?? [];
      return levels.flatMap(({ windowMs }, level) => {
        const value = ageOf(frontiersMs[level]);
        return value === undefined ? [] : [{ labels: { level: levelName(windowMs) }, value }];
      });
    },
    completeThroughAge() {
      const { active, published } = view();
      return ageOf(active?.progress.observation.completeThroughMs ?? published?.completeThroughMs);
    },
    batches: () => totals.batches,
    rows: () => totals.rows,
    rowsDropped: () => totals.rowsDropped,
    lag: () => view().active?.lag(),
    stateRows: () => view().active?.job.progress()?.stateRows,
    restarts: () => view().active?.job.state().restarts ?? 0,
    repairs: () => view().active?.progress.repairs ?? 0,
    dirtyWindows: () => view().active?.progress.dirtyWindows,
  });
  return {
    onBatch({ inputRows, rowsDropped, batchMs }) {
      totals.batches++;
      totals.rows += inputRows;
      totals.rowsDropped += rowsDropped;
      batchSeconds.observe(batchMs / 1000);
    },
  };
}

const units = [
  [86_400_000, "day"],
  [60_000, "min"],
  [1000, "s"],
] as const;

function levelName(windowMs: number): string {
  const [unitMs, unit] = units.find(([ms]) => windowMs % ms === 0) ?? [1, "ms"];
  return `${windowMs / unitMs}${unit}`;
}
