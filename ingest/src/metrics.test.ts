import { startTestMetrics } from "@devicemesh/kit/testing/metrics-scrape";
import { waitUntil } from "@devicemesh/kit/testing/test-helpers";
import { expect, it } from "vitest";
import {
  frameOf,
  startTestIngest,
  thermostatReading,
  thermostatReadings,
} from "../testing/ingest-fixture.ts";
import { memoryLogSentinels } from "../testing/memory-message-log.ts";
import { ruleIds } from "./checks/reading-violations.ts";

const dayMs = 86_400_000;
const stream = {
  grpc_type: "client_stream",
  grpc_service: "devicemesh.v1.IngestService",
  grpc_method: "PublishReadings",
};
const batch = { ...stream, grpc_type: "unary", grpc_method: "PublishReadingBatch" };

it("exports every label of every count from the start, all 0, and that the log accepts readings", async () => {
  await using reported = await startTestMetrics();
  await using _ = await startTestIngest({ dependencies: { metrics: reported.metrics } });
  const { value } = await reported.scrape();
  for (const rule of ruleIds) expect(value("devicemesh_ingest_refused_readings_total", { rule })).toBe(0);
  for (const outcome of ["accepted", "refused"]) {
    expect(value("devicemesh_ingest_readings_total", { outcome })).toBe(0);
  }
  for (const outcome of ["acknowledged", "failed", "abandoned"]) {
    expect(value("devicemesh_ingest_units_total", { outcome })).toBe(0);
  }
  expect(value("devicemesh_ingest_append_seconds_count")).toBe(0);
  expect(value("devicemesh_ingest_log_reachable")).toBe(1);
  expect(value("grpc_server_started_total", stream)).toBe(0);
  expect(value("grpc_server_handled_total", { ...batch, grpc_code: "Unavailable" })).toBe(0);
});

it("counts accepted readings, rejected ones by rule, units, frames, appends and calls", async () => {
  await using reported = await startTestMetrics();
  await using mesh = await startTestIngest({ dependencies: { metrics: reported.metrics } });
  const { client } = mesh;
  const frames = [
    frameOf(...thermostatReadings("a", 7), thermostatReading("", 0), thermostatReading("b", 2 * dayMs)),
    frameOf(...thermostatReadings("c", 5), thermostatReading("b", 0, 1e9), thermostatReading("d", 0, 1e9)),
    frameOf({ deviceId: "e", timestamp: undefined, measurement: undefined }),
  ];
  expect((await client.publish(...frames)).kind).toBe("ok");
  expect((await client.publishBatch(frameOf(...thermostatReadings("a", 3)))).kind).toBe("ok");
  expect((await client.publishBatch(Buffer.from([0xff]))).kind).toBe("error");
  expect((await client.publish(frameOf(thermostatReading(memoryLogSentinels.unavailable)))).kind).toBe(
    "error",
  );

  const { value, by } = await reported.scrape();
  expect(by("devicemesh_ingest_readings_total", "outcome")).toEqual({ accepted: 15, refused: 5 });
  expect(by("devicemesh_ingest_refused_readings_total", "rule")).toEqual({
    "string.pattern": 1,
    "timestamp.one_day_ahead": 1,
    "double.gte_lte": 2,
    required: 1,
  });
  expect(by("devicemesh_ingest_units_total", "outcome")).toEqual({ acknowledged: 2, failed: 2 });
  expect(value("devicemesh_ingest_frames_total")).toBe(6);
  expect(value("devicemesh_ingest_frame_bytes_total")).toBe(mesh.ingest.stats().bytes);
  // The frame without accepted readings has nothing to append, and one was not a frame.
  expect(value("devicemesh_ingest_append_seconds_count")).toBe(4);
  expect(by("grpc_server_handled_total", "grpc_method")).toEqual({
    PublishReadings: 2,
    PublishReadingBatch: 2,
  });
  expect(value("grpc_server_handled_total", { ...stream, grpc_code: "Unavailable" })).toBe(1);
  expect(value("grpc_server_handled_total", { ...batch, grpc_code: "InvalidArgument" })).toBe(1);
  expect(value("grpc_server_handling_seconds_count", stream)).toBe(2);
});

it("counts open streams, waiting readings, and a unit whose client disconnected", async () => {
  await using reported = await startTestMetrics();
  await using mesh = await startTestIngest({ dependencies: { metrics: reported.metrics } });
  mesh.memory.hold();
  const { call } = mesh.client.openStream();
  call.write(frameOf(...thermostatReadings("a", 4)));
  await waitUntil(() => mesh.memory.held === 1);
  const during = await reported.scrape();
  expect(during.value("devicemesh_ingest_waiting_readings")).toBe(4);
  expect(during.value("devicemesh_ingest_open_units")).toBe(1);
  expect(during.value("grpc_server_in_flight", stream)).toBe(1);
  expect(during.by("grpc_server_handled_total", "grpc_code")).toEqual({});

  call.cancel();
  await waitUntil(() => mesh.ingest.stats().openStreams === 0);
  mesh.memory.release();
  await waitUntil(() => mesh.ingest.stats().readingsInFlight === 0);
  const after = await reported.scrape();
  expect(after.value("devicemesh_ingest_waiting_readings")).toBe(0);
  expect(after.by("devicemesh_ingest_units_total", "outcome")).toEqual({ abandoned: 1 });
  expect(after.by("devicemesh_ingest_readings_total", "outcome")).toEqual({});
  expect(after.value("grpc_server_in_flight", stream)).toBe(0);
  expect(after.by("grpc_server_handled_total", "grpc_code")).toEqual({ Canceled: 1 });
});

it("exports that the log is unavailable", async () => {
  await using reported = await startTestMetrics();
  await using mesh = await startTestIngest({ dependencies: { metrics: reported.metrics } });
  mesh.ingest.setServing(false);
  expect((await reported.scrape()).value("devicemesh_ingest_log_reachable")).toBe(0);
  mesh.ingest.setServing(true);
  expect((await reported.scrape()).value("devicemesh_ingest_log_reachable")).toBe(1);
});
