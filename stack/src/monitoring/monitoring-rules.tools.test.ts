import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { findPrometheus } from "@devicemesh/engines/testing/host-tools";
import { temporaryFolder } from "@devicemesh/kit/testing/test-helpers";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import {
  deadLetters,
  frontierAge,
  handled,
  healthySeries,
  heapPressure,
  rising,
  sinkLag,
  steady,
  tasks,
} from "../../testing/monitoring/monitoring-healthy-fixture.ts";
import { boards } from "../boards/boards.ts";

const prometheusFolder = fileURLToPath(new URL("../../prometheus/", import.meta.url));
const rulesFile = join(prometheusFolder, "rules.yml");
const prometheus = findPrometheus();

type Rule = {
  readonly alert: string;
  readonly expr: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
};

const rules = (
  parse(readFileSync(rulesFile, "utf8")) as { groups: readonly { rules: readonly Rule[] }[] }
).groups.flatMap((group) => group.rules);

/** For each alert, a mesh with one fault: the series that differ; undefined for one that is missing. */
const broken: Readonly<Record<string, Readonly<Record<string, string | undefined>>>> = {
  TargetDown: { 'up{job="query", instance="a"}': steady(0) },
  CallsFail: { [handled("QueryService", "GetAggregates", "Internal")]: rising(1) },
  IngestLogAway: { 'devicemesh_ingest_log_reachable{instance="a"}': steady(0) },
  AppendsSlow: {
    'devicemesh_ingest_append_seconds_bucket{le="0.1"}': rising(50),
    'devicemesh_ingest_append_seconds_bucket{le="1"}': rising(60),
  },
  OutboxFilling: { devicemesh_generator_outbox_readings: "0+1000x180" },
  ReadingsDropped: { 'devicemesh_generator_readings_total{outcome="dropped"}': "7x120 8x60" },
  StoreFallsBehind: { devicemesh_aggregator_complete_through_age_seconds: "0+10x180" },
  SinkLagGrowing: { [sinkLag]: "0+500x180" },
  SinkTaskFailed: { [tasks("RUNNING")]: steady(2), [tasks("FAILED")]: steady(1) },
  SinkStopped: { [tasks("RUNNING")]: steady(0) },
  InvalidDeadLetters: { [deadLetters("invalid")]: "4x150 5x30" },
  DeadLettersWait: { devicemesh_operator_dead_letter_lag_messages: steady(1) },
  MeshHasProblems: { 'devicemesh_operator_problems{job="operator"}': steady(1) },
  FrontierTooOld: { [frontierAge("10s")]: "0+10x180" },
  NoAggregatorActive: { 'devicemesh_aggregator_active{instance="a"}': steady(0) },
  TwoAggregatorsActive: { 'devicemesh_aggregator_active{instance="b"}': steady(1) },
  WindowJobFails: { devicemesh_aggregator_window_job_restarts_total: "1x120 2x10 3x10 4x10 5x30" },
  WindowJobStandsStill: { devicemesh_aggregator_window_job_batches_total: "0+8x90 720x90" },
  SparkMasterAway: { devicemesh_operator_spark_master_reachable: steady(0) },
  WindowJobDroppedRows: { devicemesh_aggregator_window_job_rows_dropped_total: "0x120 3x60" },
  StoreAway: { 'devicemesh_query_store_reachable{instance="a"}': steady(0) },
  NoHealthyReplica: {
    'envoy_cluster_membership_healthy{envoy_cluster_name="query", instance="b"}': steady(0),
  },
  EnvoyShortOfRoom: { [heapPressure]: "40x120 90x60" },
  DrainHangs: { 'envoy_server_live{instance="a"}': steady(0) },
  CertificateExpires: { envoy_server_days_until_first_cert_expiring: steady(5) },
};

/** The alerts that fire at the end of the half hour according to promtool, with the committed rules. */
function firing(series: Readonly<Record<string, string | undefined>>, expected: Record<string, number>) {
  using folder = temporaryFolder();
  const file = join(folder.path, "case.yml");
  const test = {
    rule_files: [rulesFile],
    evaluation_interval: "10s",
    tests: [
      {
        interval: "10s",
        input_series: Object.entries({ ...healthySeries, ...series })
          .filter(([, values]) => values !== undefined)
          .map(([name, values]) => ({ series: name, values })),
        promql_expr_test: [
          {
            expr: 'count by (alertname) (ALERTS{alertstate="firing"})',
            eval_time: "30m",
            exp_samples: Object.entries(expected).map(([alert, value]) => ({
              labels: `{alertname="${alert}"}`,
              value,
            })),
          },
        ],
      },
    ],
  };
  writeFileSync(file, JSON.stringify(test));
  execFileSync(prometheus?.promtool ?? "", ["test", "rules", file], { encoding: "utf8", stdio: "pipe" });
}

describe.skipIf(prometheus === undefined)("the alerts", () => {
  it("are accepted by Prometheus, as the targets are", () => {
    execFileSync(
      prometheus!.promtool,
      ["check", "config", "--lint-fatal", join(prometheusFolder, "prometheus.yml")],
      { stdio: "pipe" },
    );
    execFileSync(prometheus!.promtool, ["check", "rules", "--lint-fatal", rulesFile], { stdio: "pipe" });
  });

  it("are silent while the mesh is healthy", () => {
    firing({}, {});
  });

  it.each(Object.entries(broken))("%s fires, and no other", (alert, series) => {
    firing(series, { [alert]: 1 });
  });

  it("ServiceAway fires when no task is left, with TargetDown while their addresses are known", () => {
    const down = Object.fromEntries(["a", "b"].map((i) => [`up{job="query", instance="${i}"}`, steady(0)]));
    firing(down, { ServiceAway: 1, TargetDown: 2 });
    const gone = Object.fromEntries(Object.keys(down).map((series) => [series, undefined]));
    firing(gone, { ServiceAway: 1 });
  });

  it("OutboxFilling fires for any readings on disk", () => {
    firing({ devicemesh_generator_outbox_spilled_bytes: steady(1) }, { OutboxFilling: 1 });
  });
});

describe("each alert", () => {
  it("has a case in this test", () => {
    expect(rules.length).toBeGreaterThan(20);
    expect(Object.keys(broken).concat("ServiceAway").sort()).toEqual(rules.map(({ alert }) => alert).sort());
  });

  it("has its meaning, the action, its severity, and the board that shows it", () => {
    const names = boards.map(({ name }) => name);
    for (const { alert, labels, annotations } of rules) {
      expect(Object.keys(annotations).sort(), alert).toEqual(["action", "summary"]);
      expect(Object.keys(labels).sort(), alert).toEqual(["board", "severity"]);
      expect(["critical", "warning"], alert).toContain(labels.severity);
      expect(names, alert).toContain(labels.board);
    }
  });
});
