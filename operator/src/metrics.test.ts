import { create } from "@bufbuild/protobuf";
import { silentLogger } from "@devicemesh/kit/observability/logger";
import { grpcServiceDefinition } from "@devicemesh/kit/rpc/grpc-js-service";
import { startTestMetrics } from "@devicemesh/kit/testing/metrics-scrape";
import { waitUntil } from "@devicemesh/kit/testing/test-helpers";
import { Health, HealthCheckRequestSchema } from "@devicemesh/proto/es/grpc/health/v1/health_pb.ts";
import { readContractImage } from "@devicemesh/proto/image";
import { credentials, makeGenericClientConstructor } from "@grpc/grpc-js";
import { expect, it } from "vitest";
import { configOf } from "../testing/operator-fixture.ts";
import type { ConnectorState } from "./connectors/connect-rest.ts";
import { createConnectorWatch } from "./connectors/connector-watch.ts";
import { type OperatorObservation, registerOperatorMetrics, taskStates } from "./metrics.ts";
import { startOperator } from "./start.ts";

const nowhere = "127.0.0.1:1";
const check = { grpc_type: "unary", grpc_service: "grpc.health.v1.Health", grpc_method: "Check" };

it("exports counts of 0 and no lags before the first poll, and counts calls", async () => {
  await using reported = await startTestMetrics();
  await using operator = await startOperator(
    configOf({
      kafkaBrokers: [nowhere],
      connectUrl: `http://${nowhere}`,
      mongodbUrl: `mongodb://${nowhere}/?serverSelectionTimeoutMS=100`,
      database: "metrics",
      prefix: "metrics.",
      partitions: 1,
      replication: 1,
    }),
    {
      logger: silentLogger(),
      clock: Date.now,
      image: readContractImage(),
      metrics: reported.metrics,
      intervals: { firstMs: 1 },
    },
  );
  const definition = grpcServiceDefinition(Health);
  const { path, requestSerialize, responseDeserialize } = definition.check!;
  const Client = makeGenericClientConstructor(definition, "Health");
  const client = new Client(`127.0.0.1:${operator.port}`, credentials.createInsecure());
  await new Promise((resolve) =>
    client.makeUnaryRequest(
      path,
      requestSerialize,
      responseDeserialize,
      create(HealthCheckRequestSchema, { service: "unknown" }),
      resolve,
    ),
  );
  client.close();
  const { value, by, names } = await reported.scrape();
  for (const reason of ["duplicate", "conflict", "redelivery", "invalid"]) {
    expect(value("devicemesh_operator_dead_letters_total", { reason })).toBe(0);
  }
  const text = await reported.metrics.text();
  expect(text.match(/^devicemesh_operator_task_restarts_total\{connector="[^"]+"\} 0$/gm)).toHaveLength(2);
  expect(names.has("devicemesh_operator_sink_lag_messages")).toBe(false);
  expect(names.has("devicemesh_operator_dead_letter_lag_messages")).toBe(false);
  expect(by("grpc_server_handled_total", "grpc_code")).toEqual({ NotFound: 1 });
  expect(value("grpc_server_started_total", check)).toBe(1);
});

it("exports the last polled lag, tasks by state and restarts of each connector", async () => {
  await using reported = await startTestMetrics();
  const state: ConnectorState = {
    state: "RUNNING",
    tasks: [
      { id: 0, state: "RUNNING" },
      { id: 1, state: "FAILED", trace: "died" },
      { id: 2, state: "A_NEW_STATE" },
    ],
  };
  const watch = createConnectorWatch({
    definition: { name: "sink", topic: "messages", config: {} },
    rest: { readState: async () => state, async restartFailed() {} },
    readProgress: async () => ({ committed: 7, lag: 12 }),
    stuckAfterMs: 1000,
  });
  let observation: OperatorObservation;
  registerOperatorMetrics(reported.metrics, {
    connectors: ["sink", "other"],
    observation: () => observation,
    deadLetters: () => ({ duplicate: 3, conflict: 2, redelivery: 1, invalid: 0 }),
  });
  const { document, problems } = await watch.observe(0);
  observation = { connectors: [document], dead_letter_lag: 5, problems };
  const { value, by } = await reported.scrape();
  expect(value("devicemesh_operator_sink_lag_messages", { connector: "sink" })).toBe(12);
  expect(value("devicemesh_operator_connector_running", { connector: "sink" })).toBe(1);
  expect(by("devicemesh_operator_connector_tasks", "state")).toEqual({ RUNNING: 1, FAILED: 1, OTHER: 1 });
  for (const name of taskStates) {
    expect(value("devicemesh_operator_connector_tasks", { connector: "sink", state: name })).toBeDefined();
  }
  expect(value("devicemesh_operator_task_restarts_total", { connector: "sink" })).toBe(1);
  expect(value("devicemesh_operator_task_restarts_total", { connector: "other" })).toBe(0);
  expect(by("devicemesh_operator_dead_letters_total", "reason")).toEqual({
    duplicate: 3,
    conflict: 2,
    redelivery: 1,
  });
  expect(value("devicemesh_operator_dead_letter_lag_messages")).toBe(5);
  expect(value("devicemesh_operator_problems")).toBe(problems.length);
  observation = { ...observation, connectors: [{ ...document, state: "PAUSED" }] };
  await waitUntil(
    async () =>
      (await reported.scrape()).value("devicemesh_operator_connector_running", { connector: "sink" }) === 0,
  );
});
