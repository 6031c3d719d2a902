import { readFileSync } from "node:fs";
import { findEnvoy, findPrometheus } from "@devicemesh/engines/testing/host-tools";
import { testEngines } from "@devicemesh/engines/testing/test-engines";
import { waitUntil } from "@devicemesh/kit/testing/test-helpers";
import { poisonRecords } from "@devicemesh/operator/testing/poison-records";
import { queriesOf } from "@devicemesh/stack/boards/board";
import { boards } from "@devicemesh/stack/boards/boards";
import {
  asGrafanaSends,
  metricsIn,
  metricsWithoutPanel,
  selectorsIn,
} from "@devicemesh/stack/monitoring/monitoring";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { type MonitoredMesh, startMonitoredMesh } from "../../testing/monitoring/monitoring-mesh-fixture.ts";

const engines = await testEngines();
const envoyBinary = findEnvoy();
const prometheus = findPrometheus();
const isPossible = engines !== undefined && envoyBinary !== undefined && prometheus !== undefined;

type Rules = {
  readonly groups: readonly {
    readonly rules: readonly { readonly alert: string; readonly expr: string }[];
  }[];
};
type RulesSeen = {
  readonly groups: readonly {
    readonly rules: readonly {
      readonly name: string;
      readonly health: string;
      readonly lastError?: string;
    }[];
  }[];
};
type TargetsSeen = {
  readonly activeTargets: readonly {
    readonly labels: { readonly job: string };
    readonly health: string;
    readonly lastError: string;
  }[];
};

const rulesText = readFileSync(new URL("../../../stack/prometheus/rules.yml", import.meta.url), "utf8");
const alerts = (parse(rulesText) as Rules).groups.flatMap(({ rules }) => rules);
const queries = boards.flatMap((board) =>
  board.rows.flatMap(({ panels }) =>
    panels.flatMap((panel) =>
      Object.values(queriesOf(panel)).map((expression) => ({
        name: `${board.title}: ${panel.title}`,
        expression: asGrafanaSends(expression),
      })),
    ),
  ),
);
const variables = boards.flatMap((board) => board.variables ?? []);
const everyMs = 1000;

/** Metrics of parts that this mesh does not have: an existing MQTT broker, and a Spark cluster with a master. */
const absentHere = [
  "devicemesh_gateway_bridged_messages_total",
  "devicemesh_gateway_bridge_connected",
  "devicemesh_operator_spark_master_reachable",
];

describe.skipIf(!isPossible)("Prometheus before the real mesh and Envoy", () => {
  let monitored: MonitoredMesh;
  beforeAll(async () => {
    monitored = await startMonitoredMesh({
      engines: engines!,
      envoyBinary: envoyBinary!,
      prometheusServer: prometheus!.server,
    });
  }, 480_000);
  afterAll(async () => {
    await monitored?.[Symbol.asyncDispose]();
  }, 60_000);

  /** Returns the expressions without a value, while there is traffic. */
  async function untilAllAnswer(expressions: readonly { name: string; expression: string }[]): Promise<void> {
    let silent = expressions.filter(({ expression }) =>
      metricsIn(expression).every((metric) => !absentHere.includes(metric)),
    );
    await waitUntil(
      async () => {
        await monitored.traffic();
        const answers = await Promise.all(
          silent.map(async (one) => {
            const series = await monitored.prometheus.query(one.expression);
            return series.some(({ value }) => !Number.isNaN(value));
          }),
        );
        silent = silent.filter((_, index) => !answers[index]);
        return silent.length === 0;
      },
      { timeoutMs: 120_000, everyMs, what: "every expression has a value" },
    ).catch((error: Error) => {
      throw new Error(
        `${error.message}; without:\n${silent.map((one) => `${one.name}: ${one.expression}`).join("\n")}`,
      );
    });
  }

  it("reaches every target of prometheus.yml", async () => {
    let seen: TargetsSeen["activeTargets"] = [];
    await waitUntil(
      async () => {
        ({ activeTargets: seen } = await monitored.prometheus.get<TargetsSeen>("targets?state=active"));
        return seen.length === 8 && seen.every(({ health }) => health === "up");
      },
      { timeoutMs: 60_000, everyMs, what: "all targets are up" },
    ).catch((error: Error) => {
      throw new Error(`${error.message}: ${JSON.stringify(seen)}`);
    });
  }, 90_000);

  it("finds a value for every query of every board", async () => {
    expect(queries.length).toBeGreaterThan(80);
    await untilAllAnswer(queries);
  }, 180_000);

  it("finds every series that a board or an alert queries, with its labels", async () => {
    const asked = [
      ...queries,
      ...variables.map(({ label, metric, values }) => ({
        name: label,
        expression: `${metric}{${values}=~".+"}`,
      })),
      ...alerts.map(({ alert, expr }) => ({ name: alert, expression: expr })),
    ].flatMap(({ name, expression }) =>
      selectorsIn(expression).map((selector) => ({ name, expression: selector })),
    );
    await untilAllAnswer(asked);
  }, 180_000);

  it("finds all our metrics on boards, except documented ones", async () => {
    const shown = new Set([
      ...queries.flatMap(({ expression }) => metricsIn(expression)),
      ...variables.map(({ metric }) => metric),
    ]);
    const stored = await monitored.prometheus.get<readonly string[]>("label/__name__/values");
    const ours = new Set(
      stored
        .filter((name) => /^(devicemesh|grpc_server)_/.test(name))
        .map((name) => name.replace(/_seconds_(bucket|sum|count)$/, "_seconds")),
    );
    expect(ours.size).toBeGreaterThan(30);
    expect([...ours].filter((name) => !shown.has(name) && !(name in metricsWithoutPanel))).toEqual([]);
    expect(Object.keys(metricsWithoutPanel).filter((name) => shown.has(name) || !ours.has(name))).toEqual([]);
  });

  it("raises the expected alert, and no other", async () => {
    const firing = async () => {
      const found = await monitored.prometheus.query('ALERTS{alertstate="firing"}');
      return [...new Set(found.map(({ labels }) => labels.alertname))].sort();
    };
    expect(await firing()).toEqual([]);
    const producer = monitored.mesh.kafka.producer({ allowAutoTopicCreation: false });
    await producer.connect();
    try {
      const { key, value } = poisonRecords().find(({ outcome }) => outcome === "dead letter")!;
      await producer.send({
        topic: monitored.mesh.names.topics.messages,
        messages: [{ key, value: value === null ? null : Buffer.from(value) }],
      });
    } finally {
      await producer.disconnect();
    }
    await waitUntil(
      async () => {
        await monitored.traffic();
        return (await firing()).includes("InvalidDeadLetters");
      },
      { timeoutMs: 90_000, everyMs, what: "the alert about an invalid dead letter fires" },
    );
    expect(await firing()).toEqual(["InvalidDeadLetters"]);
    const { groups } = await monitored.prometheus.get<RulesSeen>("rules");
    const evaluated = groups.flatMap(({ rules }) => rules);
    expect(evaluated.length).toBe(alerts.length);
    expect(evaluated.filter(({ health }) => health !== "ok")).toEqual([]);
  }, 150_000);
});
